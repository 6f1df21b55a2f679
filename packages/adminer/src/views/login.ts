import { html } from "hono/html";
import { type Html, page } from "./layout.ts";

export interface LoginView {
  readonly database: string;
  readonly user: string;
  readonly ownUser: boolean;
  readonly fault?: string | undefined;
}

export function loginPage({ database, user, ownUser, fault }: LoginView): Html {
  const about = ownUser ? "Sign in to look at this database." : "Sign in as a user of the database.";
  return page(
    "Sign in",
    html`<body class="login">
      <main>
        <h1><span aria-hidden="true">▤</span> ${database}</h1>
        <p class="muted">${about}</p>
        ${fault ? html`<p class="failure" role="alert" id="fault">${fault}</p>` : ""}
        <form method="post" action="/login">
          <label for="user">User</label>
          <input
            id="user"
            name="user"
            value="${user}"
            autocomplete="username"
            required
            autocapitalize="none"
            spellcheck="false"
          />
          <label for="password">Password</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            ${ownUser ? "required" : ""}
            autofocus
          />
          <button>Sign in</button>
        </form>
      </main>
    </body>`,
  );
}
