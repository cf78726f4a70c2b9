// Apollo Client 4: cache, automatic persisted queries, WebSocket and multipart subscriptions.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { createClient } from "graphql-ws";
import { createHash } from "node:crypto";
import WebSocket from "ws";
import { ADD, CART_UPDATES, changeCart, end, expect, openCart, PAGE, REFUSED, socketUrl, step, url, WRONG } from "./report.mjs";

const NAME = "Apollo Client 4";
const cart = await openCart();
const requests = [];
const countingFetch = (address, options) => {
  requests.push(`${options.method} ${options.body ? Object.keys(JSON.parse(options.body)).join() : ""}`);
  return fetch(address, options);
};
const http = new HttpLink({ uri: url, headers: cart.headers, fetch: countingFetch });
const makeCache = () =>
  new InMemoryCache({ typePolicies: { Query: { fields: { products: relayStylePagination() } } } });
const client = new ApolloClient({ link: http, cache: makeCache() });
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

await step(NAME, "query, from the cache the second time", async () => {
  const query = gql`query Viewer { viewer { role language } }`;
  const first = await client.query({ query });
  const before = requests.length;
  const second = await client.query({ query });
  expect(first.data.viewer.role === "GUEST" && second.data.viewer.role === "GUEST", "wrong data");
  expect(requests.length === before, "the cache was not used");
});

await step(NAME, "mutation updates the cache", async () => {
  const query = gql`query Cart { cart { id version lines { id quantity } } }`;
  await client.query({ query });
  await client.mutate({ mutation: gql(ADD), variables: { input: { id: cart.lineId, quantity: 4 } } });
  const kept = client.readQuery({ query });
  expect(kept.cart.lines[0].quantity === 4, JSON.stringify(kept));
});

await step(NAME, "pagination by fetchMore", async () => {
  const pages = client.watchQuery({ query: gql(PAGE), variables: { first: 3 } });
  const subscription = pages.subscribe({});
  const shown = () => pages.getCurrentResult().data?.products;
  while (!shown()) await new Promise((go) => setTimeout(go, 20));
  await pages.fetchMore({ variables: { first: 3, after: shown().pageInfo.endCursor } });
  while (shown().edges.length < 6) await new Promise((go) => setTimeout(go, 20));
  const ids = shown().edges.map((edge) => edge.node.id);
  subscription.unsubscribe();
  expect(new Set(ids).size === 6, `${ids.length} products`);
});

await step(NAME, "automatic persisted queries, by GET", async () => {
  const link = new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(http);
  const query = gql(`query Persisted${Date.now()} { viewer { currency } }`);
  const before = requests.length;
  for (const _ of [1, 2]) {
    const { data } = await new ApolloClient({ link, cache: makeCache() }).query({ query });
    expect(data.viewer.currency === "CNY", JSON.stringify(data));
  }
  const sent = requests.slice(before).map((each) => each.split(" ")[0]).join();
  expect(sent === "GET,POST,GET", sent);
});

await step(NAME, "errors: refused by validation, and by a permission", async () => {
  for (const [text, code] of [[WRONG, undefined], [REFUSED, "UNAUTHENTICATED"]]) {
    const error = await client.query({ query: gql(text) }).then(() => null, (thrown) => thrown);
    expect(CombinedGraphQLErrors.is(error), `not a GraphQL error: ${error}`);
    expect(!code || error.errors[0].extensions.code === code, JSON.stringify(error.errors));
  }
});

async function watchCart(link) {
  const watching = new ApolloClient({ link, cache: makeCache() });
  let update = null;
  let failure = null;
  const subscription = watching.subscribe({ query: gql(CART_UPDATES) }).subscribe({
    next: (result) => { update = result; },
    error: (error) => { failure = error; },
  });
  await changeCart(cart, () => update || failure);
  subscription.unsubscribe();
  watching.stop();
  if (failure) throw failure;
  expect(update.data?.cartUpdates.cart.lines.length === 1, JSON.stringify(update));
}

await step(NAME, "subscription by WebSocket", async () => {
  const socket = createClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: cart.headers });
  await watchCart(new GraphQLWsLink(socket));
  await socket.dispose();
});

await step(NAME, "subscription by multipart", () => watchCart(http));

await step(NAME, "a sign-in sent as a header", async () => {
  const session = await client.mutate({
    mutation: gql`mutation SignIn($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } } }`,
    variables: { input: { login: "emma@example.com", password: "cartwheel-demo" } },
  });
  const token = session.data.sessionCreate.session.accessToken;
  const signedIn = new ApolloLink((operation, forward) => {
    operation.setContext({ headers: { authorization: `Bearer ${token}` } });
    return forward(operation);
  });
  const known = new ApolloClient({ link: signedIn.concat(new HttpLink({ uri: url })), cache: makeCache() });
  const { data } = await known.query({ query: gql`query Me { viewer { role account { id name } } }` });
  expect(data.viewer.account.name === "Emma Wood", JSON.stringify(data));
});

end();
