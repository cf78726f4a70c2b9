// graphql-ws 6: operations of all kinds over one socket.
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { ADD, CART_UPDATES, changeCart, end, expect, openCart, REFUSED, socketUrl, step, WRONG } from "./report.mjs";

const NAME = "graphql-ws 6";
const cart = await openCart();
const pongs = [];
const client = createClient({
  url: socketUrl,
  webSocketImpl: WebSocket,
  connectionParams: cart.headers,
  keepAlive: 200,
  on: { pong: (received) => received && pongs.push(received) },
});
const ask = (query, variables) =>
  new Promise((resolve, reject) => {
    let result = null;
    client.subscribe({ query, variables }, { next: (each) => { result = each; }, error: reject, complete: () => resolve(result) });
  });

await step(NAME, "query", async () => {
  const { data } = await ask("{ cart { id lines { quantity } } }");
  expect(data.cart.lines.length === 1, JSON.stringify(data));
});

await step(NAME, "mutation", async () => {
  const { data } = await ask(ADD, { input: { id: cart.lineId, quantity: 3 } });
  expect(data.cartLineUpdate.cart.lines[0].quantity === 3, JSON.stringify(data));
});

await step(NAME, "errors: refused by validation, and by a permission", async () => {
  const refused = await ask(WRONG).then(() => null, (errors) => errors);
  expect(Array.isArray(refused) && refused.length === 1, JSON.stringify(refused));
  const forbidden = await ask(REFUSED);
  expect(forbidden.errors[0].extensions.code === "UNAUTHENTICATED", JSON.stringify(forbidden));
});

await step(NAME, "subscription, ended by the client", async () => {
  let update = null;
  let completed = false;
  const unsubscribe = client.subscribe(
    { query: CART_UPDATES },
    { next: (each) => { update = each; }, error: (error) => { update = { error }; }, complete: () => { completed = true; } },
  );
  await changeCart(cart, () => update);
  unsubscribe();
  expect(update.data?.cartUpdates.cart.lines.length === 1, JSON.stringify(update));
  await ask("{ viewer { role } }");
  expect(completed, "the subscription was not completed");
});

await step(NAME, "keep-alive", async () => {
  const unsubscribe = client.subscribe({ query: CART_UPDATES }, { next() {}, error() {}, complete() {} });
  while (!pongs.length) await new Promise((go) => setTimeout(go, 50));
  unsubscribe();
});

await client.dispose();
end();
