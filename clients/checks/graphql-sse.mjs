// graphql-sse 2: one stream for each operation, and one stream for all.
import { createClient } from "graphql-sse";
import { ADD, CART_UPDATES, changeCart, end, expect, openCart, step, url, WRONG } from "./report.mjs";

const NAME = "graphql-sse 2";
const cart = await openCart();

for (const singleConnection of [false, true]) {
  const mode = singleConnection ? "one stream for all" : "a stream each";
  const client = createClient({ url, headers: { ...cart.headers }, singleConnection, retryAttempts: 0 });
  const ask = (query, variables) =>
    new Promise((resolve, reject) => {
      let result = null;
      client.subscribe({ query, variables }, { next: (each) => { result = each; }, error: reject, complete: () => resolve(result) });
    });

  await step(NAME, `query and mutation (${mode})`, async () => {
    const { data } = await ask("{ viewer { role } }");
    expect(data.viewer.role === "GUEST", JSON.stringify(data));
    const changed = await ask(ADD, { input: { id: cart.lineId, quantity: 3 } });
    expect(changed.data.cartLineUpdate.cart.lines[0].quantity === 3, JSON.stringify(changed));
  });

  await step(NAME, `subscription (${mode})`, async () => {
    let update = null;
    const unsubscribe = client.subscribe(
      { query: CART_UPDATES },
      { next: (each) => { update = each; }, error: (error) => { update = { error }; }, complete() {} },
    );
    await changeCart(cart, () => update);
    unsubscribe();
    expect(update.data?.cartUpdates.cart.lines.length === 1, JSON.stringify(update.error ?? update));
  });

  await step(NAME, `an error (${mode})`, async () => {
    const answer = await ask(WRONG).then((result) => result?.errors, (error) => error);
    expect(answer, "no error arrived");
  });

  client.dispose();
}

end();
