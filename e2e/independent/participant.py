#!/usr/bin/env python3
"""A participant that shares no code with us or with a browser: aiortc for the media, mediasoup's protocol by
pymediasoup, Socket.IO by python-socketio.

    participant.py NODE CALL PARTICIPANT TOKEN NAME

Joins the call's room on the media node at NODE, sends a tone and a moving picture, receives everybody, and prints a JSON report twice a second until SIGTERM.
"""

import asyncio
import contextlib
import fractions
import json
import logging
import math
import signal
import sys
import time

import aiohttp
import numpy
import socketio
from aiortc import AudioStreamTrack, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame
from pymediasoup import AiortcHandler, Device
from pymediasoup.consumer import Consumer
from pymediasoup.models.transport import DtlsParameters, IceCandidate, IceParameters
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters

log = logging.getLogger("participant")


class Tone(AudioStreamTrack):
    """440 Hz, half of full scale, 48 kHz mono in frames of 20 ms."""

    RATE, SAMPLES = 48_000, 960

    def __init__(self):
        super().__init__()
        self._position, self._start = 0, None

    async def recv(self):
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._position / self.RATE - time.monotonic()))
        times = numpy.arange(self._position, self._position + self.SAMPLES) / self.RATE
        samples = (numpy.sin(2 * math.pi * 440 * times) * 16_000).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self.RATE, self._position, fractions.Fraction(1, self.RATE)
        self._position += self.SAMPLES
        return frame


class Bars(VideoStreamTrack):
    """Bars that move to the right, 320x240."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        columns = ((numpy.arange(320) + pts // 900) // 20 % 2 * 160 + 40).astype(numpy.uint8)
        picture = numpy.repeat(numpy.tile(columns, (240, 1))[:, :, None], 3, axis=2)
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Report:
    """What has arrived so far."""

    def __init__(self):
        self.values = {"name": "", "announced": 0, "videoFrames": 0, "width": 0, "height": 0, "brightness": 0.0,
                       "audioFrames": 0, "loudness": 0.0}

    def picture(self, frame):
        self.values["videoFrames"] += 1
        self.values.update(width=frame.width, height=frame.height)
        self.values["brightness"] = float(frame.to_ndarray(format="gray").mean())

    def sound(self, frame):
        self.values["audioFrames"] += 1
        samples = frame.to_ndarray().astype(numpy.float64)
        self.values["loudness"] = max(self.values["loudness"], float(numpy.sqrt((samples**2).mean())))


class Participant:
    def __init__(self, http, seat):
        self._http = http
        self._call_id, self._id, self._token, self._name = seat
        self._base = f"/api/rooms/{self._call_id}"
        self.report = Report()
        self._consumed, self._tasks = {}, set()
        self._lock = asyncio.Lock()

    async def _call(self, method, path, body=None):
        headers = {"authorization": f"Bearer {self._token}"}
        async with self._http.request(method, path, json=body, headers=headers) as response:
            answer = await response.json()
            if not answer["success"]:
                raise RuntimeError(f"{method} {path}: {response.status} {answer['error']}")
            return answer.get("data")

    async def join(self):
        capabilities = (await self._call("GET", self._base))["rtpCapabilities"]
        tone, bars = Tone(), Bars()
        self._device = Device(handlerFactory=AiortcHandler.createFactory(tracks=[tone, bars]))
        await self._device.load(RtpCapabilities(**capabilities))
        sending = await self._transport("send", self._device.createSendTransport)
        self._receiving = await self._transport("recv", self._device.createRecvTransport)
        for track, source in ((tone, "microphone"), (bars, "camera")):
            await sending.produce(track=track, stopTracks=False, appData={"source": source, "displayName": self._name})
        self._transports = [sending, self._receiving]

    async def _transport(self, direction, create):
        data = await self._call("POST", f"{self._base}/transports", {"participantId": self._id, "direction": direction})
        path = f"{self._base}/transports/{data['transportId']}"
        transport = create(
            id=data["transportId"],
            iceParameters=IceParameters(**data["iceParameters"]),
            iceCandidates=[IceCandidate(**candidate) for candidate in data["iceCandidates"]],
            dtlsParameters=DtlsParameters(**data["dtlsParameters"]),
            sctpParameters=None,
            iceServers=[],
        )

        @transport.on("connect")
        async def connect(dtls_parameters):
            await self._call("POST", f"{path}/connect", {"dtlsParameters": dtls_parameters.model_dump(exclude_none=True)})

        @transport.on("produce")
        async def produce(kind, rtpParameters, appData):
            body = {"participantId": self._id, "kind": kind, "appData": appData,
                    "rtpParameters": rtpParameters.model_dump(exclude_none=True)}
            return (await self._call("POST", f"{path}/produce", body))["producerId"]

        return transport

    async def listen(self, url):
        """Consumes what is announced; the node announces what was there before, too."""
        self._socket = socketio.AsyncClient(reconnection=False)

        @self._socket.on("new-producer")
        async def new_producer(event):
            self.report.values["announced"] += 1
            # Not awaited here: an event handler must not hold up the next event.
            self._spawn(self._consume(event))

        await self._socket.connect(url, auth={"token": self._token}, transports=["websocket"])
        answer = await self._socket.call("join-room", {"callId": self._call_id, "participantId": self._id})
        if not answer["success"]:
            raise RuntimeError(f"join-room: {answer}")

    async def _consume(self, event):
        async with self._lock:
            producer = event["producerId"]
            if producer in self._consumed:
                return
            self._consumed[producer] = None
            capabilities = self._device.rtpCapabilities.model_dump(exclude_none=True)
            body = {"participantId": self._id, "producerId": producer, "rtpCapabilities": capabilities}
            data = await self._call("POST", f"{self._base}/consume", body)
            consumer: Consumer = await self._receiving.consume(
                id=data["consumerId"], producerId=producer, kind=data["kind"],
                rtpParameters=RtpParameters(**data["rtpParameters"]),
            )
            self._consumed[producer] = consumer
            await self._call("POST", f"{self._base}/consumers/{data['consumerId']}/resume")
        self.report.values["name"] = (event.get("appData") or {}).get("displayName", "")
        self._spawn(self._watch(consumer.track))

    async def _watch(self, track):
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.report.picture(frame) if track.kind == "video" else self.report.sound(frame)

    def _spawn(self, coroutine):
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task failed", exc_info=task.exception())

    async def leave(self):
        await self._call("POST", f"{self._base}/participants/{self._id}/leave")
        await self._socket.disconnect()
        for task in list(self._tasks):
            task.cancel()
        for transport in self._transports:
            await transport.close()


async def main(url, *seat):
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=10)) as http:
        participant = Participant(http, seat)
        await participant.join()
        await participant.listen(url)
        while not ended.is_set():
            print(json.dumps(participant.report.values), flush=True)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended.wait(), 0.5)
        await asyncio.wait_for(participant.leave(), 10)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(*sys.argv[1:6]))
