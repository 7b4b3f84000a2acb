import type { Fields } from './fields.ts';

/** The whole address; the usual path is put behind one that has none. */
export function readUrl(fields: Fields, usualPath: string): URL {
  const { text, url } = readAddress(fields);
  if (url.pathname === '/' && !text.endsWith('/')) url.pathname = usualPath;
  return url;
}

/** Scheme, host and port of a gRPC server. Without TLS the port has to be said: 80 would never be meant. */
export function readGrpcAddress(fields: Fields): URL {
  const { text, url } = readAddress(fields);
  if (url === NOWHERE) return url;
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    fields.mistake('url', 'must end with the port; in gRPC the path is not for the address to say');
  } else if (url.protocol === 'http:' && !/:\d+\/?$/.test(text)) {
    fields.mistake('url', 'must name a port, which is 4317 for most receivers');
  }
  return url;
}

export function readHeaders(fields: Fields, parent: Fields): Record<string, string> {
  return headersBut(OUR_HEADERS, fields, parent);
}

/** Headers of gRPC: what gRPC itself says is not for a declaration, and text is ASCII. Names that end in -bin hold base64. */
export function readMetadata(fields: Fields, parent: Fields): Record<string, string> {
  const headers = headersBut(OUR_METADATA, fields, parent);
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('grpc-')) parent.mistake('headers', `must not set ${name}`);
    else if (!/^[0-9a-z_.-]+$/.test(name)) parent.mistake('headers', `has a name that gRPC does not take: ${name}`);
    else if (name.endsWith('-bin') ? !BASE64.test(value) : !/^[\x20-\x7e]*$/.test(value)) {
      parent.mistake('headers', `must have ${name.endsWith('-bin') ? 'base64' : 'ASCII'} as the value of ${name}`);
    }
  }
  return headers;
}

function readAddress(fields: Fields): { text: string; url: URL } {
  const allowed = 'an http or https address without user and password';
  const text = fields.text('url', { pattern: /^https?:\/\/[^\s/]+/, allowed });
  if (text === '') return { text, url: NOWHERE };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.username === '' && url.password === '') return { text, url };
  fields.mistake('url', `must be ${allowed}`);
  return { text, url: NOWHERE };
}

function headersBut(ours: ReadonlySet<string>, fields: Fields, parent: Fields): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields.entries()) {
    const lower = name.toLowerCase();
    if (!HEADER_NAME.test(name)) parent.mistake('headers', `has a name that is none: ${JSON.stringify(name)}`);
    else if (ours.has(lower)) parent.mistake('headers', `must not set ${lower}`);
    else if (typeof value !== 'string' || /[\r\n\0]/.test(value)) {
      parent.mistake('headers', `must have text without line breaks as the value of ${lower}`);
    } else headers[lower] = value;
  }
  return headers;
}

const NOWHERE = new URL('http://nowhere.invalid');
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** What the body is and where it ends is not for a declaration to say. */
const OUR_HEADERS = new Set(['content-type', 'content-encoding', 'content-length', 'transfer-encoding', 'host']);
const OUR_METADATA = new Set(['content-type', 'te', 'user-agent', 'host']);
