// The data API: what auth-service and logic-service ask of db-service. Both ends are typed by this one table.
import { z } from "zod";
import {
  Booking,
  BookingState,
  Email,
  Id,
  Instant,
  Name,
  page,
  Service,
  ServiceChange,
  ServiceInput,
  User,
  UserChange,
} from "./values.ts";

export interface Endpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** In hono's form: `/users/:id`. */
  readonly path: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly answer: Answer;
}

const nothing = z.object({});
type Nothing = typeof nothing;

function endpoint<
  Answer extends z.ZodType,
  Params extends z.ZodType = Nothing,
  Query extends z.ZodType = Nothing,
  Body extends z.ZodType = Nothing,
>(
  method: Endpoint<Params, Query, Body, Answer>["method"],
  path: string,
  shapes: { answer: Answer; params?: Params; query?: Query; body?: Body },
): Endpoint<Params, Query, Body, Answer> {
  const { answer, params = nothing, query = nothing, body = nothing } = shapes;
  return { method, path, answer, params: params as Params, query: query as Query, body: body as Body };
}

const byId = z.object({ id: Id });
const limit = z.coerce.number().int().min(1).max(100).default(20);
const tokenHash = z.string().regex(/^[0-9a-f]{64}$/);
const Attempt = z.object({ email: Email, address: z.string().max(100) });

export const dataApi = {
  createUser: endpoint("POST", "/users", {
    body: z.object({ email: Email, name: Name, passwordHash: z.string().max(300) }),
    answer: User,
  }),
  user: endpoint("GET", "/users/:id", { params: byId, answer: User }),
  changeUser: endpoint("PATCH", "/users/:id", { params: byId, body: UserChange, answer: User }),

  /** Counts an attempt to sign in, before the password is looked at, and gives what is needed to look at it. */
  beginLogin: endpoint("POST", "/logins", {
    body: Attempt,
    answer: z.object({
      /** Seconds to wait where there were too many attempts; then there is no user. */
      retryAfter: z.number().optional(),
      user: User.extend({ passwordHash: z.string() }).optional(),
    }),
  }),
  /** Starts a session after a right password, and forgets the attempts that led to it. */
  createSession: endpoint("POST", "/sessions", {
    body: z.object({ userId: Id, tokenHash, expiresAt: Instant, attempt: Attempt }),
    answer: z.object({}),
  }),
  /** Takes one refresh token for the next. A token that was taken before ends the whole session: someone has a copy. */
  rotateSession: endpoint("POST", "/sessions/rotate", {
    body: z.object({ tokenHash, nextTokenHash: tokenHash, expiresAt: Instant, leewaySeconds: z.number().min(0) }),
    answer: z.object({ outcome: z.enum(["rotated", "unknown", "reused"]), user: User.optional() }),
  }),
  endSession: endpoint("POST", "/sessions/end", { body: z.object({ tokenHash }), answer: z.object({}) }),

  createService: endpoint("POST", "/services", { body: ServiceInput.extend({ providerId: Id }), answer: Service }),
  services: endpoint("GET", "/services", {
    query: z.object({
      search: z.string().max(200).optional(),
      providerId: Id.optional(),
      limit,
      after: z.string().max(200).optional(),
    }),
    answer: page(Service),
  }),
  service: endpoint("GET", "/services/:id", { params: byId, answer: Service }),
  changeService: endpoint("PATCH", "/services/:id", {
    params: byId,
    body: ServiceChange.extend({ withdrawn: z.boolean().optional() }),
    answer: Service,
  }),
  /** What is taken of a service between two instants. */
  taken: endpoint("GET", "/services/:id/taken", {
    params: byId,
    query: z.object({ from: Instant, to: Instant }),
    answer: z.object({ items: z.array(z.object({ start: Instant, end: Instant })) }),
  }),

  createBooking: endpoint("POST", "/bookings", {
    body: z.object({ serviceId: Id, customerId: Id, start: Instant, end: Instant }),
    answer: Booking,
  }),
  bookings: endpoint("GET", "/bookings", {
    query: z.object({
      customerId: Id.optional(),
      serviceId: Id.optional(),
      state: BookingState.optional(),
      from: Instant.optional(),
      to: Instant.optional(),
      limit,
      after: z.string().max(200).optional(),
    }),
    answer: page(Booking),
  }),
  booking: endpoint("GET", "/bookings/:id", { params: byId, answer: Booking }),
  moveBooking: endpoint("PATCH", "/bookings/:id", {
    params: byId,
    body: z.object({ start: Instant, end: Instant }),
    answer: Booking,
  }),
  cancelBooking: endpoint("DELETE", "/bookings/:id", { params: byId, answer: Booking }),
} as const;

export type DataApi = typeof dataApi;
export type Operation = keyof DataApi;
