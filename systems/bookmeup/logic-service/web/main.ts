import { accountViews } from "./account.ts";
import { currentUser, onSession, restoreSession } from "./api.ts";
import { bookingViews } from "./bookings.ts";
import { h, replaceChildren } from "./dom.ts";
import { findViews } from "./find.ts";
import { offerViews } from "./offer.ts";
import { here, startRouter } from "./router.ts";

function showNavigation(): void {
  const navigation = document.querySelector("#navigation");
  if (!navigation) return;
  const link = (address: string, text: string) =>
    h("a", { href: `#${address}`, ...(here() === address ? { "aria-current": "page" } : {}) }, text);
  const personal = currentUser()
    ? [link("/bookings", "Bookings"), link("/offer", "Offer"), link("/profile", "Profile")]
    : [link("/offer", "Offer"), link("/sign-in", "Sign in")];
  replaceChildren(navigation, link("/", "Find"), personal);
}

onSession(showNavigation);
showNavigation();
await restoreSession();
await startRouter([...findViews, ...bookingViews, ...offerViews, ...accountViews]);
