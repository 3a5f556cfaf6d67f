#!/usr/bin/env python3
"""Writes fuzz/seeds/<target>/: small, real inputs from which fuzzing starts. Run from anywhere; deterministic."""

import json
import struct
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"


def write(target, **inputs):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (folder / name.replace("_", "-")).write_bytes(data)


# ---- RTP (RFC 3550 section 5.1, RFC 8285) ---------------------------------------------------------------


def rtp(payload, pt=96, sequence=1000, timestamp=90_000, ssrc=0x11223344, marker=False, csrc=(), extension=b"", pad=0):
    first = 0x80 | (0x20 if pad else 0) | (0x10 if extension else 0) | len(csrc)
    header = struct.pack("!BBHII", first, (0x80 if marker else 0) | pt, sequence, timestamp, ssrc)
    header += b"".join(struct.pack("!I", source) for source in csrc)
    padding = bytes(pad - 1) + bytes([pad]) if pad else b""
    return header + extension + payload + padding


def one_byte(*elements):
    data = b"".join(bytes([(i << 4) | (len(value) - 1)]) + value for i, value in elements)
    data += bytes(-len(data) % 4)
    return struct.pack("!HH", 0xBEDE, len(data) // 4) + data


def two_byte(*elements):
    data = b"".join(bytes([i, len(value)]) + value for i, value in elements)
    data += bytes(-len(data) % 4)
    return struct.pack("!HH", 0x1000, len(data) // 4) + data


ABS_SEND_TIME, TRANSPORT_SEQUENCE = (4, b"\x12\x34\x56"), (5, b"\x00\x2a")
VP8_KEY = bytes.fromhex("90e08123014056") + bytes.fromhex("10020000 9d012a 8002 e001".replace(" ", "")) + bytes(24)
VP8_DELTA = bytes.fromhex("80e0812402a0") + bytes.fromhex("31020000") + bytes(24)
H264_STAP = bytes.fromhex("78000867420dc1e9a05014000568ce01a835") + bytes.fromhex("00066588840000 10".replace(" ", ""))
H264_FU_START, H264_FU_END = bytes.fromhex("7c85888400") + bytes(16), bytes.fromhex("7c45aabb") + bytes(8)
H264_SLICE = bytes.fromhex("619a2400") + bytes(20)
VP9_KEY = bytes.fromhex("8a8001001b0280016801400 0b4".replace(" ", "")) + bytes.fromhex("824983420027f0167e") + bytes(16)
VP9_DELTA = bytes.fromhex("ee800221030186") + bytes(20)
AV1_KEY = bytes.fromhex("180a0b00000024c4ffdf3f68023210") + bytes(20)
AV1_DELTA = bytes.fromhex("10320c") + bytes(20)
# Dependency descriptor, mandatory fields only, and one that starts with a template structure (L1T3).
DD_SHORT = bytes.fromhex("c00007")
DD_STRUCTURE = bytes.fromhex("800001800214eaa860414d141020842701df010d")
OPUS = bytes.fromhex("78 0a 0b 0c 0d 0e 0f".replace(" ", ""))

plain = rtp(OPUS, pt=100)
audio = rtp(OPUS, pt=100, marker=True, extension=one_byte((1, b"0"), ABS_SEND_TIME, TRANSPORT_SEQUENCE, (10, b"\x9e")))
video = rtp(VP8_KEY, extension=one_byte((1, b"1"), (2, b"r0"), ABS_SEND_TIME, TRANSPORT_SEQUENCE, (11, b"\x01")))
wide = rtp(AV1_KEY, extension=two_byte((1, b"probator"), (17, DD_STRUCTURE), (5, b"\x01\x02"), (200, b"")))
contributors = rtp(OPUS, csrc=(1, 2, 3), pad=8)
rtx = rtp(struct.pack("!H", 999) + VP8_DELTA, pt=97, ssrc=0x55667788, extension=one_byte((1, b"1"), (3, b"r0")))
padding_only = rtp(b"", pt=97, pad=200)
packets = dict(plain=plain, audio=audio, video=video, wide=wide, contributors=contributors, padding=padding_only)

write("rtp_view", rtx=rtx, **packets)
write("ext_rewrite", rtx=rtx, **packets)
write("rtx", rtx=rtx, short=rtp(b"\x01"), **packets)

# ---- RTCP (RFC 3550 section 6, 4585, 5104, transport-cc, REMB, 3611) --------------------------------------


def rtcp(packet_type, count, body):
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x80 | count, packet_type, len(body) // 4) + body


def ids(*values):
    return b"".join(struct.pack("!I", value) for value in values)


block = ids(0x11223344) + bytes([12]) + (300).to_bytes(3, "big") + ids(70_000, 55, 0xABCD0000, 6553)
sdes_item = ids(0x11223344) + b"\x01\x05cname" + b"\x00"
reports = dict(
    sender_report=rtcp(200, 1, ids(0x11223344, 0xE1A2B3C4, 0x80000000, 90_000, 1000, 900_000) + block),
    receiver_report=rtcp(201, 1, ids(1) + block),
    empty_receiver_report=rtcp(201, 0, ids(1)),
    sdes=rtcp(202, 1, sdes_item),
    bye=rtcp(203, 1, ids(0x11223344) + b"\x03bye"),
    nack=rtcp(205, 1, ids(1, 0x11223344) + struct.pack("!HHHH", 1000, 0b101, 65535, 1)),
    twcc=rtcp(205, 15, ids(1, 0x11223344) + struct.pack("!HH", 65534, 10) + bytes.fromhex("00123407")
              + bytes.fromhex("2003 c9a4 ffff 04 08 0c fffe 02 01".replace(" ", ""))),
    pli=rtcp(206, 1, ids(1, 0x11223344)),
    fir=rtcp(206, 4, ids(1, 0, 0x11223344) + b"\x07\0\0\0"),
    remb=rtcp(206, 15, ids(1, 0) + b"REMB" + bytes([2, (6 << 2) | 1, 0x86, 0xA0]) + ids(0x11223344, 0x55667788)),
    xr_rrtr=rtcp(207, 0, ids(1) + bytes([4, 0, 0, 2]) + ids(0xE1A2B3C4, 0x80000000)),
    xr_dlrr=rtcp(207, 0, ids(1) + bytes([5, 0, 0, 3]) + ids(0x11223344, 0xB3C48000, 6553)),
    application=rtcp(204, 1, ids(1) + b"NAME" + bytes(8)),
)
compound = reports["sender_report"] + reports["sdes"] + reports["nack"] + reports["pli"]
write("rtcp", compound=compound, **reports)

# ---- codec payloads --------------------------------------------------------------------------------------

# A body reads packets as: a byte of length, a byte with the marker in bit 0 and the dependency descriptor's length
# above it, then that many bytes.
def stream(*parts):
    framed = b""
    for payload, marker, *rest in parts:
        descriptor = rest[0] if rest else b""
        data = descriptor + payload
        framed += bytes([len(data), len(descriptor) << 1 | marker]) + data
    return framed


write("codec_vp8", key=VP8_KEY, delta=VP8_DELTA, short_id=bytes.fromhex("90801131") + bytes(12), bare=b"\x10\x00\x00\x00",
      stream=stream((VP8_KEY, 0), (VP8_DELTA, 1), (VP8_DELTA, 1)))
write("codec_h264", stap=stream((H264_STAP, 1)), idr=stream((b"\x65\x88\x84" + bytes(9), 1)), slice=stream((H264_SLICE, 1)),
      fragments=stream((H264_STAP, 0), (H264_FU_START, 0), (H264_FU_END, 1), (H264_SLICE, 1)))
write("codec_vp9", key=VP9_KEY, delta=VP9_DELTA, flexible=bytes.fromhex("f88123410b05") + bytes(12),
      stream=stream((VP9_KEY, 0), (VP9_DELTA, 1)))
write("codec_av1", plain=stream((AV1_KEY, 0), (AV1_DELTA, 1)),
      described=stream((AV1_KEY, 1, DD_STRUCTURE), (AV1_DELTA, 1, DD_SHORT), (AV1_DELTA, 0, bytes.fromhex("410008"))))

# ---- STUN (RFC 5769 sections 2.1 and 2.2) and DTLS (RFC 6347 section 4.2) -----------------------------------

STUN_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e2074657374"
    "20636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576"
    "746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
STUN_RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def stun(*attributes, kind=1):
    body = b"".join(attributes)
    return struct.pack("!HHI", kind, len(body), 0x2112A442) + b"transaction!" + body


nomination = stun(attribute(6, b"local:remote"), attribute(0x24, ids(0x6E7F1EFF)), attribute(0x802A, bytes(8)),
                  attribute(0x25, b""), attribute(8, bytes(20)), attribute(0x8028, bytes(4)))
stuns = dict(request=STUN_REQUEST, response=STUN_RESPONSE, nomination=nomination, bare=stun(), indication=stun(kind=0x11))
write("stun", **stuns)

extensions = b"".join([
    attribute(10, bytes.fromhex("0004001d0017"))[:10],
    struct.pack("!HH", 14, 9) + bytes.fromhex("0006000700080001 00".replace(" ", "")),
    struct.pack("!HH", 13, 6) + bytes.fromhex("000404030503"),
    struct.pack("!HH", 23, 0),
])
hello_body = b"\xfe\xfd" + bytes(range(32)) + b"\x00" + b"\x00" + bytes.fromhex("0006c02bc02fc00a") + b"\x01\x00"
hello_body += struct.pack("!H", len(extensions)) + extensions
hello = b"\x01" + len(hello_body).to_bytes(3, "big") + bytes(2) + bytes(3) + len(hello_body).to_bytes(3, "big") + hello_body
CLIENT_HELLO = b"\x16\xfe\xff" + bytes(8) + struct.pack("!H", len(hello)) + hello
ALERT = b"\x15\xfe\xfd\x00\x01" + bytes(6) + b"\x00\x02\x01\x00"
datagrams = dict(stun_request=STUN_REQUEST, stun_nomination=nomination, client_hello=CLIENT_HELLO, alert=ALERT,
                 rtp=video + bytes(16), rtcp=compound + b"\x80\0\0\1" + bytes(16), zrtp=b"\x10\x00" + bytes(10),
                 channel_data=b"\x40\x00\x00\x04data")
write("demux_link", **datagrams)


# A body reads operations on a worker in a call as: two bytes of kind, a byte of length, that many bytes.
def operations(*parts):
    return b"".join(struct.pack("!HB", kind, len(chunk)) + chunk for kind, chunk in parts)


SPEAK, SENDER_REPORT, VIEWER_REPORT, PASS, PAUSE, RESUME, LAYERS, KEY_FRAME = 2, 6, 7, 9, 10, 11, 14, 15


def track(payload_type, mid, payload, sequence, rid=None, **fields):
    elements = [(1, mid)] + ([(2, rid)] if rid else []) + [ABS_SEND_TIME, (5, struct.pack("!H", sequence))]
    return SPEAK, rtp(payload, pt=payload_type, sequence=sequence, extension=one_byte(*elements), **fields)


def simulcast(sequence, payload):
    return [track(98, b"1", payload, sequence, rid=f"r{layer}".encode(), ssrc=100 + layer, timestamp=sequence * 3000, marker=True)
            for layer in range(3)]


def seen(*packets):
    return VIEWER_REPORT, b"".join(packets)


VP8_CONSUMER = 1002
lost = rtcp(205, 1, ids(1, VP8_CONSUMER) + struct.pack("!HH", 1, 0xFFFF))
picture_please = rtcp(206, 1, ids(1, VP8_CONSUMER))
arrivals = rtcp(205, 15, ids(1, 0) + struct.pack("!HH", 0, 10) + bytes.fromhex("00000100 200a 0808080808080808 0808".replace(" ", "")))
call = operations(
    *simulcast(1, VP8_KEY), (PASS + 20 * 16, b""), *simulcast(2, VP8_DELTA), *simulcast(4, VP8_DELTA),
    seen(lost, picture_please, arrivals), (PASS + 100 * 16, b""), (LAYERS + 256, b""), *simulcast(5, VP8_KEY),
    (SENDER_REPORT, rtcp(200, 0, ids(100, 0xE1A2B3C4, 0, 90_000, 5, 500))), (PASS + 1000 * 16, b""), *simulcast(6, VP8_DELTA),
)
codecs = operations(
    (SPEAK, rtp(OPUS, sequence=1, extension=one_byte((1, b"0"), (10, b"\x9e")))),
    track(100, b"2", VP9_KEY, 1, ssrc=20), track(100, b"2", VP9_DELTA, 2, ssrc=20, marker=True),
    track(102, b"3", H264_STAP, 1, ssrc=30), track(102, b"3", H264_FU_START, 2, ssrc=30), track(102, b"3", H264_FU_END, 3, ssrc=30),
    track(104, b"4", AV1_KEY, 1, ssrc=40), track(104, b"4", AV1_DELTA, 2, ssrc=40, marker=True),
    (SPEAK, rtp(struct.pack("!H", 1) + VP9_DELTA, pt=101, sequence=7, ssrc=21)),
    (PAUSE + 512, b""), (PASS + 50 * 16, b""), (RESUME + 512, b""), (KEY_FRAME + 512, b""), (12 + 768, b""), (13 + 768, b""),
)
write("worker_datagram", audio=audio + bytes(16), call=call, codecs=codecs, **datagrams)
write("srtp_unprotect", audio=audio + bytes(16), video=video + bytes(16), hmac=plain + bytes(10),
      rtcp=compound + b"\x80\0\0\1" + bytes(16))

# ---- operation lists: bytes that a body reads as operations with operands -----------------------------------

write("twcc_bwe", feedback=reports["twcc"], steady=bytes(range(64)), repeats=b"\x01\x10\x02\x20\x03\x30" * 20,
      high=b"\xff\x80" * 40)
write("store_ops", steady=bytes(range(96)), repeats=b"\x00\x01\x02\x03\x04\x05\x06\x07" * 12, high=b"\xff\xfe\x80" * 30,
      wrap=b"\x00\xff\xf0\x01\xff\xff\x02\x00\x00\x01\x00\x10" * 8)

# Four bytes of choices (ids received, ids sent, padding, a number), then a producer's packet.
EVERY_ID = 0xFC
write("rewrite",
      vp8=bytes([EVERY_ID, EVERY_ID | 1, 3, 9]) + rtp(b"\x90\xe0\x80\x2a\x07\xa0\x01" + b"v" * 60, marker=True),
      opus=bytes([EVERY_ID, EVERY_ID, 0, 1]) + rtp(b"o" * 40, extension=one_byte((4, b"\x85"))),
      bare=bytes([0, 0, 255, 0]) + rtp(b"x", pad=4),
      long=bytes([EVERY_ID, 3, 1, 7]) + rtp(b"l" * 1400))

# A step between frames, two bytes of length, whether the packet is its frame's last.
def packets(*lengths):
    return b"".join(bytes([0 if at == 0 else 2]) + length.to_bytes(2, "big") + bytes([at + 1 == len(lengths)])
                    for at, length in enumerate(lengths))

write("train_padding", browser=packets(1000, 1000, 1001, 1001) * 4, layers=packets(900, 900, 700, 700) * 3,
      largest=packets(1199, 1199, 1200), late=packets(1000, 1001) + b"\x01\x03\xe8\x00" + packets(1001, 1002))


# ---- JSON --------------------------------------------------------------------------------------------------


def body(value):
    return json.dumps(value, separators=(",", ":")).encode()


FEEDBACK = [{"type": "nack", "parameter": ""}, {"type": "nack", "parameter": "pli"}, {"type": "transport-cc", "parameter": ""}]
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
capabilities = {
    "codecs": [
        {"kind": "audio", "mimeType": "audio/opus", "preferredPayloadType": 100, "clockRate": 48000, "channels": 2,
         "parameters": {"minptime": 10, "useinbandfec": 1}, "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}]},
        {"kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 101, "clockRate": 90000, "parameters": {},
         "rtcpFeedback": FEEDBACK},
        {"kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 102, "clockRate": 90000,
         "parameters": {"apt": 101}, "rtcpFeedback": []},
        {"kind": "video", "mimeType": "video/H264", "preferredPayloadType": 103, "clockRate": 90000,
         "parameters": {"packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1},
         "rtcpFeedback": FEEDBACK},
        {"kind": "audio", "mimeType": "audio/somebody-elses", "clockRate": 8000},
    ],
    "headerExtensions": [
        {"kind": "audio", "uri": MID, "preferredId": 1, "preferredEncrypt": False, "direction": "sendrecv"},
        {"kind": "video", "uri": "urn:example:unknown", "preferredId": 14, "preferredEncrypt": False, "direction": "sendrecv"},
    ],
}
camera = {
    "mid": "1",
    "codecs": [
        {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": {}, "rtcpFeedback": FEEDBACK},
        {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}, "rtcpFeedback": []},
    ],
    "headerExtensions": [{"uri": MID, "id": 4, "encrypt": False, "parameters": {}}],
    "encodings": [{"rid": "r0", "scalabilityMode": "L1T3", "maxBitrate": 100000}, {"rid": "r1"}, {"rid": "r2"}],
    "rtcp": {"cname": "somebody", "reducedSize": True, "mux": True},
}
microphone = {
    "mid": "0",
    "codecs": [{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
                "parameters": {"usedtx": 1}, "rtcpFeedback": []}],
    "headerExtensions": [], "encodings": [{"ssrc": 1111, "dtx": False}], "rtcp": {"cname": "somebody", "reducedSize": True},
}
screen = dict(camera, encodings=[{"ssrc": 1, "rtx": {"ssrc": 2}, "scalabilityMode": "L3T3_KEY"}])


def say(kind, parameters):
    return body({"kind": kind, "parameters": parameters, "capabilities": capabilities})


single = dict(camera, encodings=[{"ssrc": 1, "rtx": {"ssrc": 2}}])
h264 = dict(single, codecs=[
    {"mimeType": "video/H264", "payloadType": 108, "clockRate": 90000, "rtcpFeedback": FEEDBACK,
     "parameters": {"packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1}},
    {"mimeType": "video/rtx", "payloadType": 109, "clockRate": 90000, "parameters": {"apt": 108}, "rtcpFeedback": []},
])
write("negotiate_json", camera=say("video", camera), microphone=say("audio", microphone), screen=say("video", screen),
      single=say("video", single), h264=say("video", h264), wrong_kind=say("audio", camera), nothing=b"{}")

write(
    "signalling_json",
    create_transport=body({"participantId": "p1", "direction": "send", "forceTcp": False, "producing": True}),
    connect=body({"dtlsParameters": {"role": "client", "fingerprints": [{"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}]}}),
    produce=body({"participantId": "p1", "kind": "video", "rtpParameters": camera,
                  "appData": {"source": "camera", "displayName": "Ana"}}),
    consume=body({"participantId": "p1", "producerId": "2f1e7f0c-3b1a-4d5e-9c56-0a1b2c3d4e5f", "rtpCapabilities": capabilities}),
    layers=body({"spatialLayer": 2, "temporalLayer": 1}),
    join_room=body({"callId": "daily", "participantId": "p1"}),
    new_producer=body({"callId": "daily", "participantId": "p2", "producerId": "2f1e7f0c-3b1a-4d5e-9c56-0a1b2c3d4e5f",
                       "kind": "audio", "appData": {"source": "microphone"}}),
    claims=body({"sub": "u1", "callId": "daily", "participantId": "p1", "role": "participant", "iat": 1, "exp": 2, "aud": "media"}),
    lobby=body({"room": "daily", "name": "Ana"}),
    success=body({"success": True, "data": {"producerId": "x", "kind": "audio"}}),
    failure=body({"success": False, "error": {"code": "ROOM_NOT_FOUND", "message": "no such room", "details": {"callId": "daily"}}}),
    null=b"null",
    nested=b"[" * 200 + b"]" * 200,
)
