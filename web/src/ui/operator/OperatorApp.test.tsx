// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Operator } from "../../operator/operator";
import { failure, FakeAdmin } from "../../testing/fake-admin";
import { call, callIds, FLAGS, installation, node, type Wishes } from "../../testing/installation";
import { furnishPage } from "../../testing/page";
import { OperatorApp } from "./OperatorApp";
import { texts } from "./texts";

const TOKEN = "aa.bb.cc";
/** To be ended with their test, so that nobody goes on looking. */
let pages: Operator[] = [];

function openPage(userId: string | null = null) {
  let fake: FakeAdmin | undefined;
  const operator = new Operator({
    admin: (token) => (fake = new FakeAdmin(token)),
    tab: undefined,
    visible: () => true,
    onVisibility: () => undefined,
  });
  if (fake === undefined) throw new Error("no client was made");
  pages.push(operator);
  render(<OperatorApp operator={operator} userId={userId} />);
  return { operator, admin: fake };
}

/** The page of somebody who is signed in, before this installation. */
async function watching(wishes: Wishes = {}) {
  const page = openPage();
  page.admin.overviewNow = installation(Date.now(), wishes);
  act(() => page.operator.signIn(TOKEN));
  await screen.findByTestId("operator-screen");
  return page;
}

/** One look later. */
async function look({ operator, admin }: Awaited<ReturnType<typeof watching>>, wishes: Wishes) {
  const looks = admin.looks;
  // A sample counts when time has gone by.
  await new Promise((resolve) => setTimeout(resolve, 2));
  admin.overviewNow = installation(Date.now(), wishes);
  act(() => operator.lookNow());
  await waitFor(() => expect(admin.looks).toBe(looks + 1));
}

const rowOf = (nodeId: string) => {
  const row = screen.getAllByTestId("node").find(({ dataset }) => dataset.node === nodeId);
  if (row === undefined) throw new Error(`no row of ${nodeId}`);
  return within(row);
};

beforeEach(() => {
  furnishPage();
});
afterEach(() => {
  cleanup();
  for (const page of pages) page.signOut();
  pages = [];
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("signing in", () => {
  it("takes a token by keyboard, and shows the installation", async () => {
    const { admin } = openPage();
    expect(document.activeElement).toBe(screen.getByLabelText(texts.signIn.token));
    await userEvent.keyboard(`${TOKEN}{Enter}`);
    expect(await screen.findByTestId("operator-screen")).toBeDefined();
    expect(admin.tokens).toEqual([TOKEN]);
    expect(document.title).toContain(texts.title);
  });

  it.each([
    [401, texts.signIn.refusal.unauthorized],
    [403, texts.signIn.refusal.forbidden],
  ])("explains %d and how to make a token", async (status, words) => {
    const { admin } = openPage("65f0c0ffee65f0c0ffee65f0");
    admin.error = failure(status);
    await userEvent.type(screen.getByTestId("operator-token"), TOKEN);
    await userEvent.click(screen.getByTestId("operator-submit"));
    expect((await screen.findByRole("alert")).textContent).toBe(words);
    expect(screen.getByText(/meeshy token --role admin --user-id 65f0c0ffee65f0c0ffee65f0/)).toBeDefined();
  });

  it("ends with signing out", async () => {
    await watching();
    await userEvent.click(screen.getByTestId("operator-sign-out"));
    expect(screen.getByTestId("operator-sign-in")).toBeDefined();
  });
});

describe("the overview", () => {
  it("says at a glance what goes on", async () => {
    await watching({
      calls: 3,
      nodes: [node(), node({ nodeId: "b", state: "lost", rooms: 0 })],
      failing: true,
    });
    const figure = (id: string) => screen.getByTestId(`figure-${id}`).textContent;
    expect(figure("calls")).toContain("3");
    expect(figure("calls")).toContain(texts.figures.callsSplit(1, 2));
    expect(figure("nodes")).toContain("1/2");
    expect(figure("switch-success")).toContain(texts.figures.successSplit(19, 23));
    expect(screen.getByTestId("operator-connection").dataset.connection).toBe("live");
  });

  it("lists calls with their way, their people and their node", async () => {
    await watching({ calls: 6 });
    const rows = screen.getAllByTestId("call");
    expect(rows).toHaveLength(6);
    const group = rows.find(({ dataset }) => dataset.call === callIds[0]);
    expect(group?.textContent).toContain(texts.calls.mode.sfu);
    expect(group?.textContent).toContain("node-a");
    const direct = rows.find(({ dataset }) => dataset.call === callIds[1]);
    expect(direct?.textContent).toContain(texts.calls.mode.p2p);
    expect(direct?.textContent).toContain(texts.calls.noNode);
    const switching = rows.find(({ dataset }) => dataset.call === callIds[4]);
    expect(switching?.textContent).toContain(texts.calls.transition.switching_to_sfu);
  });

  it("shows many calls when asked to", async () => {
    await watching({ calls: 34 });
    expect(screen.getAllByTestId("call")).toHaveLength(20);
    await userEvent.click(screen.getByRole("button", { name: texts.calls.more(14) }));
    expect(screen.getAllByTestId("call")).toHaveLength(34);
  });

  it("says what is missing where there is nothing", async () => {
    await watching({
      calls: 0,
      nodes: [],
      switches: 0,
      turn: [],
      flags: { flags: {}, sfuPercent: 100, sfuConversations: [] },
    });
    for (const { none } of [texts.calls, texts.nodes, texts.switches, texts.turn, texts.flags])
      expect(screen.getByText(none)).toBeDefined();
    expect(screen.getByText(texts.rollout.listNone)).toBeDefined();
    expect(screen.getByTestId("plot-load").textContent).toContain(texts.plots.none);
  });

  it("marks switches that failed, in the list and among the bars", async () => {
    await watching({ switches: 7, failing: true });
    const rows = screen.getAllByTestId("switch");
    expect(rows.map(({ dataset }) => dataset.success)).toEqual(rows.map((_, index) => String(index !== 2)));
    expect(rows[2]?.textContent).toContain(texts.switches.failed);
    expect(screen.getByTestId("switch-failures").textContent).toBe(texts.switches.failures(1, 7));
    const bars = within(screen.getByTestId("switch-times"));
    expect(bars.getByRole("img").getAttribute("aria-label")).toMatch(/Median 640 ms.*1 failed/);
  });
});

describe("the plots", () => {
  it("begin with the second answer and can be read out moment by moment", async () => {
    const page = await watching({ calls: 1 });
    const plot = () => within(screen.getByTestId("plot-calls"));
    expect(plot().getByText(texts.plots.waiting)).toBeDefined();
    await look(page, { calls: 3 });
    const moment = plot().getByRole("slider");
    const people = (index: number) => installation(0, { calls: index === 0 ? 1 : 3 }).participants;
    act(() => moment.focus());
    expect(moment.getAttribute("aria-valuetext")).toContain(
      texts.plots.value(texts.plots.people, String(people(1))),
    );
    fireEvent.keyDown(moment, { key: "ArrowLeft" });
    expect(moment.getAttribute("aria-valuetext")).toContain(
      texts.plots.value(texts.plots.people, String(people(0))),
    );
    expect(moment.getAttribute("aria-valuenow")).toBe("0");
    // What one looks at stays while more arrives.
    const before = moment.getAttribute("aria-valuetext");
    await look(page, { calls: 2 });
    expect(moment.getAttribute("aria-valuetext")).toBe(before);
    fireEvent.keyDown(moment, { key: "End" });
    expect(moment.getAttribute("aria-valuenow")).toBe("2");
  });

  it("stand in figures beside the lines", async () => {
    const page = await watching({ calls: 1 });
    await look(page, { calls: 6 });
    const row = within(screen.getByTestId("plot-calls")).getByRole("row", {
      name: new RegExp(texts.plots.people),
      hidden: true,
    });
    const [low, high] = [1, 6].map((calls) => installation(0, { calls }).participants);
    expect(
      within(row)
        .getAllByRole("cell", { hidden: true })
        .map(({ textContent }) => textContent),
    ).toEqual(
      [high, low, high, ((low ?? 0) + (high ?? 0)) / 2].map((value) => String(Math.round(value ?? 0))),
    );
  });
});

describe("the connection", () => {
  it("when lost is explained once, and what was heard stays", async () => {
    const { operator, admin } = await watching({ calls: 2 });
    admin.error = failure();
    act(() => operator.lookNow());
    const note = await screen.findByTestId("operator-lost");
    expect(note.textContent).toContain(texts.connection.why.unreachable);
    // What changes each second is not read out; that it was lost is.
    expect(note.closest("[aria-live]")).toBeNull();
    expect(screen.getByTestId("operator-notice").textContent).toBe(texts.notice["connection-lost"]());
    expect(screen.getAllByTestId("call")).toHaveLength(2);
    admin.error = null;
    await userEvent.click(screen.getByTestId("operator-retry"));
    await waitFor(() => expect(screen.queryByTestId("operator-lost")).toBeNull());
  });

  it("says when the server is about to end", async () => {
    await watching({ draining: true });
    expect(screen.getByTestId("operator-draining").textContent).toBe(texts.connection.draining);
  });
});

describe("draining", () => {
  const two = [node(), node({ nodeId: "node-b", rooms: 1 })];

  it("asks first and names the calls, then shows what is left and lets one undo it", async () => {
    const { admin } = await watching({ nodes: two, calls: 4 });
    await userEvent.click(rowOf("node-a").getByTestId("node-drain"));
    const dialog = screen.getByRole("dialog", { name: texts.drain.title("node-a") });
    const named = within(dialog).getAllByTestId("drain-call");
    expect(named.map((each) => each.querySelector("code")?.textContent)).toEqual([callIds[0], callIds[2]]);
    expect(screen.queryByTestId("drain-last-node")).toBeNull();
    expect(admin.asked).not.toContain("drain node-a");
    await userEvent.click(screen.getByTestId("drain-sure"));
    const undo = await rowOf("node-a").findByTestId("node-undrain");
    expect(admin.asked).toContain("drain node-a");
    // The focus is where it was: on the button that takes it back now.
    await waitFor(() => expect(document.activeElement).toBe(undo));
    expect(rowOf("node-a").getByTestId("drain-progress").textContent).toBe(texts.nodes.left(3, 3));
    expect(screen.getByTestId("operator-notice").textContent).toBe(texts.notice["node-draining"]("node-a"));
    await userEvent.click(undo);
    expect(await rowOf("node-a").findByTestId("node-drain")).toBeDefined();
    expect(admin.asked).toContain("undrain node-a");
  });

  it("counts what is left and says when a node may be stopped", async () => {
    const page = await watching({ nodes: [node({ state: "draining", rooms: 2 }), node({ nodeId: "b" })] });
    await look(page, { nodes: [node({ state: "draining", rooms: 0 }), node({ nodeId: "b" })] });
    await waitFor(() =>
      expect(rowOf("node-a").getByTestId("drain-progress").textContent).toBe(texts.nodes.left(0, 2)),
    );
    expect(rowOf("node-a").getByRole<HTMLProgressElement>("progressbar").value).toBe(2);
  });

  it("warns before the last node, and does nothing when one thinks better of it", async () => {
    const { admin } = await watching({ nodes: [node()], calls: 0 });
    await userEvent.click(screen.getByTestId("node-drain"));
    expect(screen.getByTestId("drain-last-node").textContent).toBe(texts.drain.last);
    expect(screen.getByText(texts.drain.noCalls)).toBeDefined();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(admin.asked.every((line) => line === "overview")).toBe(true);
  });

  it("says why it was not done", async () => {
    const { admin } = await watching({ nodes: two });
    await userEvent.click(rowOf("node-a").getByTestId("node-drain"));
    admin.error = failure(404);
    await userEvent.click(screen.getByTestId("drain-sure"));
    expect((await screen.findByRole("alert")).textContent).toContain(texts.problem.gone);
  });
});

describe("flags", () => {
  const flagOf = (name: string) => {
    const flag = screen.getAllByTestId("flag").find(({ dataset }) => dataset.flag === name);
    if (flag === undefined) throw new Error(`no flag ${name}`);
    return within(flag);
  };

  it("are switched one by one and go back to their setting", async () => {
    const { admin } = await watching();
    const sfu = flagOf("sfu").getByRole("switch", { name: texts.flags.names.sfu?.[0] });
    expect(sfu.getAttribute("aria-checked")).toBe("true");
    await userEvent.click(sfu);
    expect(admin.asked).toContain('flags {"flags":{"sfu":false}}');
    await waitFor(() => expect(sfu.getAttribute("aria-checked")).toBe("false"));
    expect(screen.getByText(texts.rollout.off)).toBeDefined();
    await userEvent.click(flagOf("sfu").getByTestId("flag-reset"));
    expect(admin.asked).toContain('flags {"flags":{"sfu":null}}');
    await waitFor(() => expect(sfu.getAttribute("aria-checked")).toBe("true"));
  });

  it("that are not built cannot be switched", async () => {
    const { admin } = await watching();
    const recording = flagOf("recording").getByTestId("flag-switch");
    expect(recording.getAttribute("aria-disabled")).toBe("true");
    await userEvent.click(recording);
    expect(admin.asked.every((line) => line === "overview")).toBe(true);
  });

  it("take a share of conversations, if it is one", async () => {
    const { admin } = await watching();
    const field = screen.getByLabelText(texts.rollout.percent);
    await userEvent.clear(field);
    await userEvent.type(field, "101");
    await userEvent.click(screen.getByTestId("sfu-percent-apply"));
    expect(screen.getByRole("alert").textContent).toBe(texts.rollout.percentWrong);
    await userEvent.clear(field);
    await userEvent.type(field, "25{Enter}");
    expect(admin.asked).toContain('flags {"sfuPercent":25}');
    await userEvent.click(await screen.findByRole("button", { name: texts.rollout.resetPercent }));
    expect(admin.asked).toContain('flags {"sfuPercent":null}');
  });

  it("take conversations by id", async () => {
    const { admin } = await watching();
    const [known = ""] = FLAGS.sfuConversations;
    const other = call(5, 0).conversationId;
    const field = screen.getByTestId("sfu-conversation");
    await userEvent.type(field, "garden party{Enter}");
    expect(screen.getByRole("alert").textContent).toBe(texts.rollout.addWrong);
    await userEvent.clear(field);
    await userEvent.type(field, `${known}{Enter}`);
    expect(screen.getByRole("alert").textContent).toBe(texts.rollout.addKnown);
    await userEvent.clear(field);
    await userEvent.type(field, `${other.toUpperCase()}{Enter}`);
    expect(admin.asked).toContain(`flags {"sfuConversations":["${known}","${other}"]}`);
    await userEvent.click(await screen.findByRole("button", { name: texts.rollout.remove(known) }));
    expect(admin.asked).toContain(`flags {"sfuConversations":["${other}"]}`);
  });
});
