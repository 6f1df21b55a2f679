import { changeProfile, currentUser, newKey, register, signIn, signOut } from "./api.ts";
import { announce, h } from "./dom.ts";
import { field, form } from "./forms.ts";
import { go, type Route, signInAddress, type View } from "./router.ts";

/** Only addresses of this page: what stands behind the `#` never leaves it. */
const afterwards = (next: string | undefined) => (next?.startsWith("/") ? next : "/");

function emailInput(): HTMLInputElement {
  return h("input", { type: "email", autocomplete: "username", autocapitalize: "none", spellcheck: "false" });
}

function signInView(next?: string): View {
  const email = emailInput();
  const password = h("input", { type: "password", autocomplete: "current-password" });
  const element = form({
    submit: "Sign in",
    children: [
      field({ label: "E-mail address", name: "email", control: email }),
      field({ label: "Password", name: "password", control: password }),
    ],
    act: async () => {
      await signIn(email.value, password.value);
      announce(`Welcome back, ${currentUser()?.name ?? ""}`);
      go(afterwards(next));
    },
  });
  const other = h(
    "p",
    {},
    "New here? ",
    h("a", { href: `#${signInAddress("register", afterwards(next))}` }, "Register"),
  );
  return { title: "Sign in", content: h("div", { class: "narrow" }, element, other) };
}

function registerView(next?: string): View {
  const key = newKey();
  const name = h("input", { autocomplete: "name" });
  const email = emailInput();
  const password = h("input", { type: "password", autocomplete: "new-password" });
  const element = form({
    submit: "Register",
    children: [
      field({ label: "Name", name: "name", hint: "Shown to those with whom you book.", control: name }),
      field({ label: "E-mail address", name: "email", control: email }),
      field({
        label: "Password",
        name: "password",
        hint: "8 characters or more. A few words together are good.",
        control: password,
      }),
    ],
    act: async () => {
      await register({ name: name.value, email: email.value, password: password.value }, key);
      announce(`Welcome, ${currentUser()?.name ?? ""}`);
      go(afterwards(next));
    },
  });
  const other = h(
    "p",
    {},
    "Registered already? ",
    h("a", { href: `#${signInAddress("sign-in", afterwards(next))}` }, "Sign in"),
  );
  return { title: "Register", content: h("div", { class: "narrow" }, element, other) };
}

function profileView(): View {
  const user = currentUser();
  const name = h("input", { autocomplete: "name", value: user?.name ?? "" });
  const phone = h("input", { type: "tel", autocomplete: "tel", value: user?.phone ?? "" });
  const email = h("input", { type: "email", value: user?.email ?? "", readonly: true });
  const element = form({
    submit: "Save",
    children: [
      field({ label: "Name", name: "name", control: name }),
      field({
        label: "E-mail address",
        name: "email",
        hint: "This is how you sign in; it stays as it is.",
        control: email,
      }),
      field({
        label: "Phone",
        name: "phone",
        hint: "Shown to those whose service you book. May be left empty.",
        control: phone,
      }),
    ],
    act: async () => {
      await changeProfile({ name: name.value, phone: phone.value });
      announce("Saved");
    },
  });
  const leave = async () => {
    await signOut();
    announce("Signed out");
    go("/");
  };
  const out = h(
    "button",
    { type: "button", onclick: () => void leave().catch((error: unknown) => announce(String(error))) },
    "Sign out",
  );
  return { title: "Profile", content: h("div", { class: "narrow" }, element, h("hr"), out) };
}

/** Registering, signing in, and one's own data. */
export const accountViews: readonly Route[] = [
  { pattern: /^\/sign-in(?:\/(.+))?$/, show: signInView },
  { pattern: /^\/register(?:\/(.+))?$/, show: registerView },
  { pattern: /^\/profile$/, show: profileView, isPersonal: true },
];
