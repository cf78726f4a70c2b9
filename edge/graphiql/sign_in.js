// One sign-in and one guest's cart for all tabs, kept until the browser's tab is closed.
const SIGN_IN = `mutation SignIn($input: SessionCreateInput!) {
  sessionCreate(input: $input) { session { accessToken refreshToken expiresAt account { name role } } userErrors { message } }
}`;
const REFRESH = `mutation Refresh($input: SessionRefreshInput!) {
  sessionRefresh(input: $input) { session { accessToken refreshToken expiresAt account { name role } } userErrors { message } }
}`;
const REFRESH_BEFORE_MS = 30_000;

class SignIn {
  constructor(address, content) {
    this.address = address;
    this.content = content;
    this.session = JSON.parse(sessionStorage.getItem("cartwheel.session"));
    this.cart = sessionStorage.getItem("cartwheel.cart");
  }

  async send(query, input) {
    const body = JSON.stringify({ query, variables: { input } });
    const reply = await fetch(this.address, { method: "POST", headers: { "content-type": "application/json" }, body });
    const result = await reply.json();
    if (result.errors) throw new Error(result.errors[0].message);
    const [payload] = Object.values(result.data);
    if (!payload.session) throw new Error(payload.userErrors[0].message);
    return payload.session;
  }

  keep(session) {
    this.session = session;
    if (session) sessionStorage.setItem("cartwheel.session", JSON.stringify(session));
    else sessionStorage.removeItem("cartwheel.session");
    this.show();
  }

  // The headers of a request from any tab; an access token that is about to expire is refreshed first.
  async headers() {
    if (this.session?.expiresAt && Date.parse(this.session.expiresAt) - Date.now() < REFRESH_BEFORE_MS) {
      try {
        this.keep(await this.send(REFRESH, { refreshToken: this.session.refreshToken }));
      } catch {
        this.keep(null);
        this.tell("The sign-in has ended.");
      }
    }
    return {
      ...(this.session ? { authorization: `Bearer ${this.session.accessToken}` } : {}),
      ...(this.cart && !this.session ? { "x-cart-token": this.cart } : {}),
    };
  }

  // Sign-ins and carts that an operation of any tab returns count for all tabs.
  notice(result) {
    for (const payload of Object.values(result?.data ?? {})) {
      if (payload?.session?.accessToken) this.keep(payload.session);
      if (payload?.cart?.token) {
        this.cart = payload.cart.token;
        sessionStorage.setItem("cartwheel.cart", this.cart);
      }
    }
  }

  tell(message) {
    document.getElementById("message").textContent = message;
  }

  show() {
    const signedIn = Boolean(this.session);
    document.getElementById("viewer").hidden = !signedIn;
    document.getElementById("sign-in").hidden = signedIn || this.content.registeredOnly;
    document.getElementById("registered-only").hidden = !this.content.registeredOnly;
    document.getElementById("viewer-name").textContent = `Signed in${
      this.session?.account?.name ? `: ${this.session.account.name}` : ""
    }`;
  }

  start() {
    const form = document.getElementById("sign-in");
    const { person, login, password } = form.elements;
    for (const each of this.content.people) person.add(new Option(each.name, each.login));
    person.hidden = !this.content.people.length;
    const choose = () => {
      const chosen = this.content.people.find((each) => each.login === person.value);
      login.value = chosen?.login ?? "";
      password.value = chosen?.password ?? "";
    };
    person.addEventListener("change", choose);
    choose();
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      this.tell("");
      try {
        this.keep(await this.send(SIGN_IN, { login: login.value, password: password.value }));
      } catch (error) {
        this.tell(error.message);
      }
    });
    document.getElementById("sign-out").addEventListener("click", () => this.keep(null));
    this.show();
  }
}
