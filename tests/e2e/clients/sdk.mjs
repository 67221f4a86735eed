// What a program does with the SDK for JavaScript v3; the same code runs in node and, bundled, in a page.
import { PersonalizeRuntimeClient, GetRecommendationsCommand, GetPersonalizedRankingCommand } from "@aws-sdk/client-personalize-runtime";
import { PersonalizeEventsClient, PutEventsCommand } from "@aws-sdk/client-personalize-events";

export const settings = ({ endpoint, id, secret }) => ({
  endpoint,
  region: "eu-west-1",
  credentials: { accessKeyId: id, secretAccessKey: secret },
  maxAttempts: 1,
});

export async function use(told) {
  const runtime = new PersonalizeRuntimeClient(settings(told)), events = new PersonalizeEventsClient(settings(told));
  const { campaign, trackingId, user } = told;
  const list = await runtime.send(new GetRecommendationsCommand({ campaignArn: campaign, userId: user, numResults: 5 }));
  const inputList = list.itemList.map((item) => item.itemId).reverse();
  const ranking = await runtime.send(new GetPersonalizedRankingCommand({ campaignArn: campaign, userId: user, inputList })).catch((error) => error.name);
  const event = { eventType: "watch", itemId: inputList[0], sentAt: new Date(), recommendationId: list.recommendationId };
  const sent = await events.send(new PutEventsCommand({ trackingId, userId: user, sessionId: "s", eventList: [event] }));
  const none = campaign.replace(/[^/]*$/, "none");
  const refused = await runtime.send(new GetRecommendationsCommand({ campaignArn: none, userId: user })).catch((error) => error);
  return {
    items: list.itemList.length,
    ranking,
    sent: sent.$metadata.httpStatusCode,
    refused: [refused.name, refused.$metadata.httpStatusCode],
  };
}
