// Where the media flows during tests. Browsers do not send WebRTC over loopback (Firefox not at all), and want a
// default route; so the tests make a network namespace whose only interface is one end of a cable to nowhere. Nothing
// leaves it, and it disappears with the last process in it.
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';

/** An address of the range reserved for examples (RFC 5737), so that it is nobody's. */
export const NAMESPACE_ADDRESS = '198.51.100.1';

const SET_UP = [
  'ip link set lo up',
  'ip link add media0 type veth peer name media1',
  `ip address add ${NAMESPACE_ADDRESS}/24 dev media0`,
  'ip link set media0 up',
  'ip link set media1 up',
  'ip route add default via 198.51.100.2 dev media0',
].join(' && ');

/**
 * The command prefix that runs something in a new namespace, or null if this system has none to give. Processes get
 * a namespace too, so that no browser outlives the run.
 * @returns {string[] | null}
 */
export function insideCommand() {
  const network = ['unshare', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const asUser = ['unshare', '--user', '--map-root-user', ...network.slice(1)];
  for (const prefix of [network, asUser]) {
    const [program = '', ...rest] = prefix;
    if (spawnSync(program, [...rest, 'sh', '-c', SET_UP], { stdio: 'ignore' }).status === 0) return prefix;
  }
  return null;
}

/** Gives the namespace we are in its interface, address and default route. */
export function setUpNamespace() {
  const outcome = spawnSync('sh', ['-c', SET_UP], { encoding: 'utf8' });
  if (outcome.status !== 0) throw new Error(`cannot set up the network namespace: ${outcome.stderr}`);
}

/** The address of this machine's first interface that is not loopback; traffic to it stays on the machine. */
export function ownAddress() {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = addresses.find((address) => address.family === 'IPv4' && !address.internal);
  if (found === undefined) throw new Error('no IPv4 address besides loopback, which browsers do not use for media');
  return found.address;
}
