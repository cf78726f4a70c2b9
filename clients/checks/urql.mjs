// @urql/core 6: document cache, persisted operations, WebSocket and event streams.
import { cacheExchange, createClient, fetchExchange, subscriptionExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { createClient as createSocket } from "graphql-ws";
import WebSocket from "ws";
import { ADD, CART_UPDATES, changeCart, end, expect, openCart, PAGE, REFUSED, socketUrl, step, url, WRONG } from "./report.mjs";

const NAME = "urql 6";
const cart = await openCart();
const requests = [];
const countingFetch = (address, options) => {
  const byText = new URL(address).searchParams.has("query") || String(options.body).includes('"query":"');
  requests.push(`${options.method} by ${byText ? "text" : "hash"}`);
  return fetch(address, options);
};
const open = (exchanges, more = {}) =>
  createClient({ url, exchanges, fetch: countingFetch, fetchOptions: { headers: cart.headers }, preferGetMethod: false, ...more });
const client = open([cacheExchange, fetchExchange]);

await step(NAME, "query, from the cache the second time", async () => {
  const first = await client.query("query Viewer { viewer { role } }", {});
  const before = requests.length;
  const second = await client.query("query Viewer { viewer { role } }", {});
  expect(first.data?.viewer.role === "GUEST" && second.data.viewer.role === "GUEST", String(first.error));
  expect(requests.length === before, "the cache was not used");
});

await step(NAME, "mutation", async () => {
  const { data, error } = await client.mutation(ADD, { input: { id: cart.lineId, quantity: 3 } });
  expect(data?.cartLineUpdate.cart.lines[0].quantity === 3, String(error));
});

await step(NAME, "pagination by cursor", async () => {
  const ids = [];
  for (let after = null, page = 0; page < 2; page += 1) {
    const { data, error } = await client.query(PAGE, { first: 3, after });
    expect(data, String(error));
    ids.push(...data.products.edges.map((edge) => edge.node.id));
    after = data.products.pageInfo.endCursor;
  }
  expect(new Set(ids).size === 6, `${ids.length} products`);
});

await step(NAME, "automatic persisted queries, by GET", async () => {
  const persisted = persistedExchange({ preferGetForPersistedQueries: true });
  const query = `query Persisted${Date.now()} { viewer { currency } }`;
  const before = requests.length;
  for (const _ of [1, 2]) {
    const { data, error } = await open([persisted, fetchExchange]).query(query, {});
    expect(data?.viewer.currency === "CNY", String(error));
  }
  const sent = requests.slice(before).join();
  expect(sent === "GET by hash,GET by text,GET by hash", sent);
});

await step(NAME, "errors: refused by validation, and by a permission", async () => {
  for (const text of [WRONG, REFUSED]) {
    const { error } = await client.query(text, {});
    expect(error?.graphQLErrors.length === 1 && !error.networkError, String(error));
  }
});

async function watchCart(watching) {
  let result = null;
  const { unsubscribe } = watching.subscription(CART_UPDATES, {}).subscribe((each) => { result = each; });
  await changeCart(cart, () => result);
  unsubscribe();
  expect(result.data?.cartUpdates.cart.lines.length === 1, String(result.error));
}

await step(NAME, "subscription by WebSocket", async () => {
  const socket = createSocket({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: cart.headers });
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink) }),
  });
  await watchCart(open([fetchExchange, subscriptionExchange({ forwardSubscription })]));
  await socket.dispose();
});

await step(NAME, "subscription by its own fetch", () => watchCart(open([fetchExchange], { fetchSubscriptions: true })));

end();
