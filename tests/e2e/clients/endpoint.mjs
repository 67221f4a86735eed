// Amplify has no setting for the endpoint of Personalize: the bundler puts this client, which has one, in its client's place.
export * from "./node_modules/@aws-sdk/client-personalize-events/dist-es/index.js";
import { PersonalizeEventsClient as Client } from "./node_modules/@aws-sdk/client-personalize-events/dist-es/index.js";

export class PersonalizeEventsClient extends Client {
  constructor(config) {
    super({ ...config, endpoint: globalThis.endpoint });
  }
}
