import { ApiError, type DataClient, Email, Name, Password, type User } from "@bookmeup/contract";
import { createApi, readBody, readIdempotency } from "@bookmeup/contract/server";
import { clientAddress, counter, incomingOf } from "@dhow/service";
import type { Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import type { Configuration } from "./configuration.ts";
import { hashPassword, isRightPassword } from "./passwords.ts";
import { hashToken, newRefreshToken, type RefreshToken, signAccessToken } from "./tokens.ts";

const Registration = z.strictObject({ name: Name, email: Email, password: Password });
/** `cookie`: for pages, which should not see a long-lived token; `token`: for programs, in the body. */
const Keeping = z.enum(["cookie", "token"]).default("token");
const Login = z.strictObject({
  email: Email,
  password: z.string().min(1, "Give a password").max(200),
  session: Keeping,
});
const Refresh = z.strictObject({ refreshToken: z.string().min(1).max(200).optional() });

const cookieName = "bookmeup_refresh";
const logins = counter("bookmeup_logins_total", "Attempts to sign in", ["outcome"]);

function cookieOptions(context: Context) {
  const secure = context.req.header("x-forwarded-proto") === "https";
  return { path: "/auth", httpOnly: true, sameSite: "Strict", secure } as const;
}

interface Session {
  readonly user: User;
  readonly refresh: RefreshToken;
  readonly keeping: z.output<typeof Keeping>;
}

async function answerSession(context: Context, configuration: Configuration, { user, refresh, keeping }: Session) {
  context.header("Cache-Control", "no-store");
  if (keeping === "cookie")
    setCookie(context, cookieName, refresh.token, {
      ...cookieOptions(context),
      maxAge: configuration.refreshTokenSeconds,
    });
  return context.json({
    tokenType: "Bearer",
    accessToken: await signAccessToken(user, configuration),
    expiresIn: configuration.accessTokenSeconds,
    ...(keeping === "token" ? { refreshToken: refresh.token } : {}),
    user,
  });
}

async function login(context: Context, data: DataClient, configuration: Configuration): Promise<Response> {
  const { email, password, session } = await readBody(context, Login);
  const incoming = incomingOf(context);
  const attempt = { email, address: incoming ? clientAddress(incoming) : "unknown" };
  const { user, retryAfter } = await data.beginLogin({ body: attempt });
  if (retryAfter !== undefined) {
    logins.add({ outcome: "limited" });
    throw new ApiError(429, "TOO_MANY_ATTEMPTS", "Too many attempts to sign in; wait a while", { retryAfter });
  }
  if (!(await isRightPassword(user?.passwordHash, password)) || !user) {
    logins.add({ outcome: "wrong" });
    throw new ApiError(401, "WRONG_CREDENTIALS", "E-mail address or password is wrong");
  }
  const refresh = newRefreshToken(configuration);
  await data.createSession({
    body: { userId: user.id, tokenHash: refresh.hash, expiresAt: refresh.expiresAt, attempt },
  });
  logins.add({ outcome: "right" });
  const { passwordHash: _, ...shown } = user;
  return answerSession(context, configuration, { user: shown, refresh, keeping: session });
}

/** The refresh token that came with a request, from its body or its cookie. */
async function presentedToken(context: Context): Promise<{ token: string | undefined; keeping: Session["keeping"] }> {
  const hasBody = (context.req.header("content-type") ?? "") !== "";
  const { refreshToken } = hasBody ? await readBody(context, Refresh) : {};
  return refreshToken === undefined
    ? { token: getCookie(context, cookieName), keeping: "cookie" }
    : { token: refreshToken, keeping: "token" };
}

async function refresh(context: Context, data: DataClient, configuration: Configuration): Promise<Response> {
  const { token, keeping } = await presentedToken(context);
  if (!token) throw new ApiError(401, "SIGNED_OUT", "Sign in first");
  const next = newRefreshToken(configuration);
  const { outcome, user } = await data.rotateSession({
    body: {
      tokenHash: hashToken(token),
      nextTokenHash: next.hash,
      expiresAt: next.expiresAt,
      leewaySeconds: configuration.refreshLeewaySeconds,
    },
  });
  if (outcome === "rotated" && user) return answerSession(context, configuration, { user, refresh: next, keeping });
  deleteCookie(context, cookieName, cookieOptions(context));
  if (outcome === "reused")
    throw new ApiError(401, "TOKEN_REUSED", "This session was ended because its token came twice; sign in again");
  throw new ApiError(401, "SIGNED_OUT", "This session has ended; sign in again");
}

/** Everything under /auth. */
export function createAuthApp(data: DataClient, configuration: Configuration): Hono {
  const app = createApi();
  app.get("/auth/health", (context) => context.json({ status: "healthy" }));

  app.post("/auth/register", async (context) => {
    const idempotency = readIdempotency(context, "register");
    const { email, name, password } = await readBody(context, Registration);
    const passwordHash = await hashPassword(password);
    const user = await data.createUser({ body: { email, name, passwordHash }, idempotency });
    return context.json({ user }, 201);
  });

  app.post("/auth/login", (context) => login(context, data, configuration));
  app.post("/auth/refresh", (context) => refresh(context, data, configuration));

  app.post("/auth/logout", async (context) => {
    const { token } = await presentedToken(context);
    if (token) await data.endSession({ body: { tokenHash: hashToken(token) } });
    deleteCookie(context, cookieName, cookieOptions(context));
    return context.body(null, 204);
  });
  return app;
}
