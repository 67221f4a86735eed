// What a page does that sends events by Amplify's provider for Personalize.
import { Amplify } from "@aws-amplify/core";
import { record } from "@aws-amplify/analytics/personalize";

globalThis.amplify = ({ endpoint, trackingId, id, secret }) => {
  globalThis.endpoint = endpoint;
  const signed = { credentials: { accessKeyId: id, secretAccessKey: secret }, identityId: "visitor" };
  const provider = { getCredentialsAndIdentityId: async () => signed, clearCredentialsAndIdentityId() {} };
  const personalize = { trackingId, region: "eu-west-1", flushSize: 5, flushInterval: 500 };
  Amplify.configure({ Analytics: { Personalize: personalize } }, { Auth: { credentialsProvider: provider } });
};
globalThis.record = record;
