export { type Answer, createDataClient, type DataClient, type Idempotency, type Input } from "./client.ts";
export { dataApi, type DataApi, type Operation } from "./data-api.ts";
export { ApiError, ErrorBody, type ErrorStatus, invalid, notFound } from "./errors.ts";
export {
  Booking,
  BookingState,
  Day,
  Email,
  Id,
  Instant,
  Name,
  OpeningHours,
  type Page,
  Password,
  Phone,
  Price,
  Service,
  ServiceChange,
  ServiceInput,
  TimeZone,
  User,
  UserChange,
  Weekday,
  weekdays,
} from "./values.ts";
export { accessToken, shortestSecret, type SigningKey, signingKey } from "./tokens.ts";
