// A participant's media made of nothing but an older mediasoup-client and the node's REST endpoints. Bundled by the test
// and put into an empty page of the server's origin; the test speaks to the gateway.
import { Device } from 'mediasoup-client-3-7';

/** @type {string} */ let base = '';
/** @type {string} */ let token = '';

/** @param {string} method @param {string} path @param {unknown} [body] */
async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!answer.success) throw new Error(`${method} ${path}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

class OldClient {
  /** @type {Map<string, import('mediasoup-client-3-7').types.Consumer>} */ #consumers = new Map();
  /** @type {import('mediasoup-client-3-7').types.Transport | undefined} */ #receiving;
  #device = new Device();
  #participantId = '';

  /** @param {{ callId: string, participantId: string, token: string, name: string }} seat */
  async join(seat) {
    token = seat.token;
    base = `/api/rooms/${encodeURIComponent(seat.callId)}`;
    this.#participantId = seat.participantId;
    const { name } = seat;
    const { rtpCapabilities } = await call('GET', base);
    await this.#device.load({ routerRtpCapabilities: rtpCapabilities });
    const sending = await this.#transport('send');
    this.#receiving = await this.#transport('recv');
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
    const sources = { audio: 'microphone', video: 'camera' };
    for (const track of stream.getTracks()) {
      const source = sources[/** @type {'audio' | 'video'} */ (track.kind)];
      await sending.produce({ track, appData: { source, displayName: name } });
    }
    return { handler: this.#device.handlerName, participantId: this.#participantId };
  }

  /** @param {'send' | 'recv'} direction */
  async #transport(direction) {
    const body = { participantId: this.#participantId, direction };
    const data = await call('POST', `${base}/transports`, body);
    const { transportId, iceParameters, iceCandidates, dtlsParameters } = data;
    const create = direction === 'send' ? 'createSendTransport' : 'createRecvTransport';
    const transport = this.#device[create]({ id: transportId, iceParameters, iceCandidates, dtlsParameters });
    const path = `${base}/transports/${transportId}`;
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      call('POST', `${path}/connect`, { dtlsParameters }).then(done, failed);
    });
    transport.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      const body = { participantId: this.#participantId, kind, rtpParameters, appData };
      call('POST', `${path}/produce`, body).then(({ producerId }) => done({ id: producerId }), failed);
    });
    return transport;
  }

  /** Consumes every producer that is not ours and not consumed yet. */
  async consumeAll() {
    const { producers } = await call('GET', base);
    for (const { producerId, participantId } of producers) {
      if (participantId === this.#participantId || this.#consumers.has(producerId)) continue;
      const body = { participantId: this.#participantId, producerId, rtpCapabilities: this.#device.rtpCapabilities };
      const { consumerId, kind, rtpParameters } = await call('POST', `${base}/consume`, body);
      const consumer = await this.#receiving?.consume({ id: consumerId, producerId, kind, rtpParameters });
      if (consumer === undefined) throw new Error('no receive transport');
      this.#consumers.set(producerId, consumer);
      const element = document.createElement(kind === 'video' ? 'video' : 'audio');
      element.srcObject = new MediaStream([consumer.track]);
      element.autoplay = true;
      document.body.append(element);
      await call('POST', `${base}/consumers/${consumerId}/resume`);
    }
    return this.#consumers.size;
  }

  /** Frames decoded and energy heard so far, over all consumers. */
  async received() {
    const sums = { frames: 0, energy: 0 };
    for (const consumer of this.#consumers.values()) {
      for (const report of (await consumer.getStats()).values()) {
        if (report.type !== 'inbound-rtp') continue;
        sums.frames += report.framesDecoded ?? 0;
        sums.energy += report.totalAudioEnergy ?? 0;
      }
    }
    return sums;
  }
}

Object.assign(window, { oldClient: new OldClient() });
