import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { SpanloomError } from '../errors/spanloom-error.ts';

/**
 * Keeps requests to addresses that others chose away from our own network: loopback, private, link-local (cloud
 * metadata), multicast and other special ranges are refused unless an operator allows them.
 *
 * It is asked for literal addresses before connecting, and by the resolver for the addresses that the connection then
 * uses, so that a name which answers differently the second time gains nothing.
 */
export class AddressGuard {
  private readonly allowed = new BlockList();

  /** @param allowed addresses or CIDR ranges, as `cidrMistake` accepts them. */
  constructor(allowed: readonly string[]) {
    for (const range of allowed) addRange(this.allowed, range);
  }

  /** Why a literal address is refused; undefined when it may be connected to. */
  refusal(address: string): string | undefined {
    const plain = withoutZone(address);
    const seen = [plain, ...embedded(plain)];
    const isRefused = seen.some((each) => isIn(SPECIAL, each) && !isIn(this.allowed, each));
    return isRefused ? `${address} is in a private or special address range` : undefined;
  }

  /** For `http.request`: resolves names, and fails when any of their addresses is refused. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const refused = addresses.find(({ address }) => this.refusal(address) !== undefined);
      if (refused !== undefined) return callback(refusedError(hostname, refused.address), '');
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      if (first === undefined) return callback(new Error(`${hostname} has no address`), '');
      return callback(null, first.address, first.family);
    });
  };

  /** @throws SpanloomError ADDRESS_REFUSED when the host of a URL is a literal address that is refused. */
  checkLiteral(hostname: string): void {
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    if (isIP(host) !== 0 && this.refusal(host) !== undefined) throw refusedError(hostname, host);
  }
}

/** What is wrong with an address or CIDR range; undefined when it is one. */
export function cidrMistake(range: string): string | undefined {
  const [address = '', bits, ...more] = range.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return `${range} is no IP address or CIDR range`;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))) {
    return `${range} has no valid prefix length`;
  }
  return undefined;
}

function refusedError(hostname: string, address: string): SpanloomError {
  const place = hostname === address ? address : `${hostname} is at ${address}, which`;
  return new SpanloomError('ADDRESS_REFUSED', `${place} is in a private or special address range that is not allowed`);
}

function addRange(list: BlockList, range: string): void {
  const [address = '', bits] = range.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function withoutZone(address: string): string {
  const at = address.indexOf('%');
  return at < 0 ? address : address.slice(0, at);
}

/** IPv4 addresses that an IPv6 address stands for: mapped, translated (NAT64), 6to4. */
function embedded(address: string): string[] {
  if (!isIPv6(address)) return [];
  const words = wordsOf(address);
  const v4 = (at: number) =>
    [
      (words[at] as number) >> 8,
      (words[at] as number) & 255,
      (words[at + 1] as number) >> 8,
      (words[at + 1] as number) & 255,
    ].join('.');
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  const isTranslated = words[0] === 0x64 && words[1] === 0xff9b;
  if (isMapped || isTranslated) return [v4(6)];
  return words[0] === 0x2002 ? [v4(1)] : [];
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  let text = address;
  if (dotted !== null) {
    const [a, b, c, d] = dotted.slice(1).map(Number) as [number, number, number, number];
    text = `${address.slice(0, dotted.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  return [...before, ...new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}

/** What the IANA registries of special-purpose addresses list as not globally reachable, and multicast. */
const SPECIAL = new BlockList();
for (const range of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
  ...['::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '3fff::/20', '5f00::/16'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]) {
  addRange(SPECIAL, range);
}
