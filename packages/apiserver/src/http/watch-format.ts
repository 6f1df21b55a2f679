import { goJson } from "@dhow/kube";
import type { WatchFormat } from "../registry/watch.ts";
import type { Resource } from "../registry/resource.ts";
import { servedText } from "../registry/resource.ts";
import type { Negotiated } from "./negotiation.ts";
import { partial, type Renderer } from "./render.ts";

/** How the events of a watch show their objects. */
export function watchFormat(renderer: Renderer, resource: Resource, how: Negotiated): WatchFormat {
  if (how.as === "metadata") {
    return { name: "metadata", text: (object) => goJson(partial(object)) };
  }
  if (how.as === "table") return tableFormat(renderer, resource, how);
  return {
    name: "object",
    text: (object, stored) => (stored ? servedText(resource, stored) : goJson(object)),
  };
}

/** Each event is a Table of one row; only the first of a watch defines the columns. */
function tableFormat(renderer: Renderer, resource: Resource, how: Negotiated): WatchFormat {
  let columns = true;
  return {
    name: undefined,
    text(object, stored) {
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      const options = { includeObject: how.includeObject, metadata, columns };
      columns = false;
      return goJson(renderer.tables.table(resource, stored ? [object] : [], options));
    },
  };
}
