import { expect, it } from "vitest";
import { HOME, isOperator, pathOf, type Route, routeOf, sameRoute } from "./route";

it.each<[string, Route]>([
  ["/", HOME],
  ["/c/65f0c0ffee65f0c0ffee65f0", { page: "conversation", conversationId: "65f0c0ffee65f0c0ffee65f0" }],
  ["/c/abc/", { page: "conversation", conversationId: "abc" }],
  ["/join/a%2Fb", { page: "guest", linkToken: "a/b" }],
  ["/join/", HOME],
  ["/c/%20", HOME],
  ["/c/%", HOME],
  ["/c/a/b", HOME],
  ["/somewhere", HOME],
])("%s leads to %o", (path, route) => {
  expect(routeOf(path)).toEqual(route);
});

it("gives every route an address that leads back", () => {
  const routes: Route[] = [
    HOME,
    { page: "conversation", conversationId: "a b" },
    { page: "guest", linkToken: "x/y?" },
  ];
  for (const route of routes) expect(routeOf(pathOf(route))).toEqual(route);
  expect(
    sameRoute({ page: "conversation", conversationId: "a" }, { page: "conversation", conversationId: "b" }),
  ).toBe(false);
});

it.each([
  ["/operator", true],
  ["/operator/", true],
  ["/", false],
  ["/operators", false],
  ["/operator/x", false],
  ["/c/operator", false],
])("%s is the operator's page: %s", (path, wanted) => {
  expect(isOperator(path)).toBe(wanted);
});
