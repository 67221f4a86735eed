// A node program: the control plane, pages of lists and clean-up, and what every client does.
import { PersonalizeClient, CreateDatasetGroupCommand, DeleteDatasetGroupCommand, DescribeDatasetGroupCommand, ListDatasetGroupsCommand, paginateListRecipes } from "@aws-sdk/client-personalize";
import { settings, use } from "./sdk.mjs";

const told = JSON.parse(process.env.TOLD);
const personalize = new PersonalizeClient(settings(told));
const name = `node-${Date.now()}`;
const { datasetGroupArn } = await personalize.send(new CreateDatasetGroupCommand({ name }));
const { datasetGroup } = await personalize.send(new DescribeDatasetGroupCommand({ datasetGroupArn }));
const { datasetGroups } = await personalize.send(new ListDatasetGroupsCommand({ maxResults: 100 }));
let recipes = 0;
for await (const page of paginateListRecipes({ client: personalize, pageSize: 3 }, {})) recipes += page.recipes.length;
await personalize.send(new DeleteDatasetGroupCommand({ datasetGroupArn }));
const told_again = await personalize.send(new CreateDatasetGroupCommand({ name: "no spaces allowed" })).catch((error) => error.name);
const control = {
  arn: datasetGroupArn,
  created: datasetGroup.creationDateTime instanceof Date,
  listed: datasetGroups.some((group) => group.datasetGroupArn === datasetGroupArn),
  recipes,
  refused: told_again,
};
console.log(JSON.stringify({ ...(await use(told)), control }));
