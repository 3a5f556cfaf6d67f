/** Where in the page one is, and how that reads as an address. */

export type Route =
  | { page: "home" }
  | { page: "conversation"; conversationId: string }
  /** For guests: the link they were given. */
  | { page: "guest"; linkToken: string };

export const HOME: Route = { page: "home" };

/** Whether an address is the operator's page: a page by itself, to which nothing of a call leads. */
export function isOperator(pathname: string): boolean {
  return /^\/operator\/?$/.test(pathname);
}

export function routeOf(pathname: string): Route {
  const conversation = /^\/c\/([^/]+)\/?$/.exec(pathname)?.[1];
  if (conversation !== undefined)
    return named(conversation, (conversationId) => ({ page: "conversation", conversationId }));
  const link = /^\/join\/([^/]+)\/?$/.exec(pathname)?.[1];
  if (link !== undefined) return named(link, (linkToken) => ({ page: "guest", linkToken }));
  return HOME;
}

function named(part: string, route: (name: string) => Route): Route {
  try {
    const name = decodeURIComponent(part).trim();
    return name === "" ? HOME : route(name);
  } catch {
    return HOME;
  }
}

export function pathOf(route: Route): string {
  switch (route.page) {
    case "home":
      return "/";
    case "conversation":
      return `/c/${encodeURIComponent(route.conversationId)}`;
    case "guest":
      return `/join/${encodeURIComponent(route.linkToken)}`;
  }
}

export function sameRoute(a: Route, b: Route): boolean {
  return pathOf(a) === pathOf(b);
}
