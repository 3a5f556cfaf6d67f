// @vitest-environment jsdom
import { act, cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it } from "vitest";
import { furnishPage } from "../../testing/page";
import { inCall } from "../../testing/people";
import { CallScreen } from "../call/CallScreen";
import { HomeScreen } from "../home/HomeScreen";
import { IncomingCalls } from "../incoming/IncomingCalls";
import { openWhole } from "../testing";
import { texts } from "../texts";
import { Dialog } from "./Dialog";
import { Sure } from "./Sure";

const nothing = () => undefined;
const account = { userId: "ada", username: "Ada", language: "en" };
const ringing = {
  callId: "k1",
  conversationId: "with-bob",
  type: "video",
  callerName: "Bob",
  callerAvatar: null,
  expiresAt: Date.now() + 30_000,
} as const;

beforeEach(() => furnishPage());
afterEach(cleanup);

/** The id of what has the focus after each of so many presses of Tab. */
async function tabbed(presses: number, shift = false): Promise<(string | undefined)[]> {
  const met: (string | undefined)[] = [];
  for (let press = 0; press < presses; press += 1) {
    await userEvent.tab({ shift });
    met.push(
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset.testid : undefined,
    );
  }
  return met;
}

it("does not leave a dialog by way of a control that is not shown there", async () => {
  // As the buttons for phones at the end of the settings, on a desk.
  Object.defineProperty(HTMLElement.prototype, "checkVisibility", {
    configurable: true,
    value(this: HTMLElement) {
      return this.closest("[hidden]") === null;
    },
  });
  openWhole(
    <>
      <button type="button" data-testid="outside" />
      <Dialog title="Dialog" look="sheet" onClose={nothing}>
        <button type="button" data-testid="first" />
        <button type="button" data-testid="last" />
        <button type="button" data-testid="phone" hidden />
      </Dialog>
    </>,
  );
  expect(await tabbed(4)).toEqual([undefined, "first", "last", undefined]);
  expect(await tabbed(2, true)).toEqual(["last", "first"]);
  Reflect.deleteProperty(HTMLElement.prototype, "checkVisibility");
});

it("reaches a call that rings from a dialog, and comes back", async () => {
  const { app } = openWhole(
    <>
      <HomeScreen account={account} />
      <IncomingCalls />
    </>,
  );
  await userEvent.click(screen.getByTestId("new-conversation"));
  expect(document.activeElement).toBe(screen.getByTestId("draft-search"));
  act(() => app.dispatch({ type: "ringing", call: ringing }));
  expect(document.activeElement).toBe(screen.getByTestId("incoming-accept"));
  expect(await tabbed(1, true)).toEqual(["incoming-decline"]);
  expect(await tabbed(2)).toEqual(["incoming-accept", undefined]);
  expect(screen.getByTestId("draft-dialog").contains(document.activeElement)).toBe(true);
});

it("goes back to where it was when a call has stopped ringing", async () => {
  const { app } = openWhole(
    <>
      <HomeScreen account={account} />
      <IncomingCalls />
    </>,
  );
  screen.getByTestId("logout").focus();
  act(() => app.dispatch({ type: "ringing", call: ringing }));
  expect(document.activeElement).toBe(screen.getByTestId("incoming-accept"));
  await userEvent.click(screen.getByTestId("incoming-decline"));
  expect(screen.queryByTestId("incoming-call")).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId("logout"));
});

it("goes to the beginning of the page when the place it came from has left", async () => {
  openWhole(<CallScreen />, { call: inCall({ soundBlocked: true }) });
  await userEvent.click(screen.getByRole("button", { name: texts.call.playSound }));
  expect(document.activeElement).toBe(screen.getByRole("main"));
});

it("stays at a question that is taken back", async () => {
  openWhole(<Sure label="End" question="Really?" testId="end" look="wide" onSure={nothing} />);
  await userEvent.click(screen.getByTestId("end"));
  expect(document.activeElement).toBe(screen.getByTestId("end-sure"));
  await userEvent.click(screen.getByRole("button", { name: texts.cancel }));
  expect(document.activeElement).toBe(screen.getByTestId("end"));
});
