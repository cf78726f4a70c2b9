// Runs the steps of one client library, and prints a line of JSON for each: {library, step, ok, note}.
export const url = process.env.SHOP;
export const socketUrl = url.replace(/^http/, "ws");

const SECONDS = 20;
let failures = 0;

export async function step(library, name, run) {
  let ok = true;
  let note = "";
  const late = new Promise((_, refuse) => {
    setTimeout(() => refuse(new Error(`no answer in ${SECONDS} s`)), SECONDS * 1000).unref();
  });
  try {
    note = (await Promise.race([run(), late])) ?? "";
  } catch (error) {
    ok = false;
    failures += 1;
    note = String(error?.stack ?? error).slice(0, 400);
  }
  console.log(JSON.stringify({ library, step: name, ok, note }));
}

export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

export async function send(query, variables, headers = {}) {
  const body = JSON.stringify({ query, variables });
  const reply = await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
  const result = await reply.json();
  expect(!result.errors, JSON.stringify(result.errors));
  return result.data;
}

// A guest's cart with one line, which subscriptions watch.
export async function openCart() {
  const found = await send("{ products(first: 1, filter: { inStock: true }) { nodes { id variants { id } } } }");
  const [product] = found.products.nodes;
  const added = await send(
    "mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { token version lines { id } } } }",
    { input: { variantId: product.variants[0].id, quantity: 1 } },
  );
  const { token, version, lines } = added.cartLineAdd.cart;
  return { token, version, lineId: lines[0].id, productId: product.id, headers: { "x-cart-token": token } };
}

// Changes the cart until the subscription has told of it.
export async function changeCart(cart, isDone) {
  for (let quantity = 2; !isDone(); quantity = 5 - quantity) {
    await send(
      "mutation ($input: CartLineUpdateInput!) { cartLineUpdate(input: $input) { userErrors { message } } }",
      { input: { id: cart.lineId, quantity } },
      cart.headers,
    );
    await new Promise((go) => setTimeout(go, 300));
  }
}

export const CART_UPDATES = "subscription CartUpdates { cartUpdates { version cart { id lines { id quantity } } } }";
export const PAGE = `query Page($first: Int!, $after: String) {
  products(first: $first, after: $after) { edges { cursor node { id title } } pageInfo { hasNextPage endCursor } }
}`;
export const ADD = `mutation Add($input: CartLineUpdateInput!) {
  cartLineUpdate(input: $input) { cart { id version lines { id quantity } } userErrors { code message } }
}`;
export const WRONG = "query Wrong { viewer { rolle } }";
export const REFUSED = "query Refused { lowStock { totalCount } }";

export const end = () => process.exit(failures ? 1 : 0);
