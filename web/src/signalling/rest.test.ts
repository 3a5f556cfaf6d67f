import { describe, expect, it } from "vitest";
import { FakeNode } from "../testing/fake-node";
import { NodeRest } from "./rest";

function connect(node: FakeNode): NodeRest {
  return new NodeRest({ base: "", callId: "room", participantId: "me", token: () => "t", http: node.http });
}

describe("NodeRest", () => {
  const rows: [string, (rest: NodeRest) => Promise<unknown>, object][] = [
    ["GET ", (rest) => rest.room(), {}],
    [
      "POST /transports",
      (rest) => rest.createTransport("send", true),
      { participantId: "me", direction: "send", forceTcp: true },
    ],
    ["POST /transports/a%2Fb/restart-ice", (rest) => rest.restartIce("a/b"), {}],
    ["POST /consumers/c/resume", (rest) => rest.resumeConsumer("c"), {}],
    ["POST /consumers/c/pause", (rest) => rest.pauseConsumer("c"), {}],
    ["POST /consumers/c/preferred-layers", (rest) => rest.preferLayers("c", 1), { spatialLayer: 1 }],
    ["POST /producers/p/pause", (rest) => rest.pauseProducer("p"), {}],
    ["POST /producers/p/resume", (rest) => rest.resumeProducer("p"), {}],
    ["DELETE /producers/p", (rest) => rest.closeProducer("p"), {}],
    ["POST /participants/me/leave", (rest) => rest.leave(), {}],
  ];
  it.each(rows)("%s", async (line, call, body) => {
    const node = new FakeNode();
    await call(connect(node));
    const request = node.requests[0];
    expect(`${request?.method ?? ""} ${request?.path ?? ""}`).toBe(line);
    expect(request?.body).toMatchObject(body);
  });

  it("takes a producer that is already gone for closed", async () => {
    const node = new FakeNode();
    node.refuse(/DELETE/, 404, "PRODUCER_NOT_FOUND");
    await expect(connect(node).closeProducer("p")).resolves.toBeUndefined();
  });

  it("says goodbye after everything else was abandoned", async () => {
    const node = new FakeNode();
    const rest = connect(node);
    rest.close();
    await expect(rest.room()).resolves.toBeDefined();
    await rest.leave();
    expect(node.seen()).toContain("POST /participants/me/leave");
  });

  it("never fails the farewell", async () => {
    const node = new FakeNode();
    node.refuse(/leave/, 404, "ROOM_NOT_FOUND");
    await expect(connect(node).leave()).resolves.toBeUndefined();
  });
});
