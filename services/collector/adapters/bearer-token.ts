import { createHash, timingSafeEqual } from 'node:crypto';

export interface TokenCheck {
  /** @param authorization the header, e.g. `Bearer abc`. */
  allows(authorization: string | undefined): boolean;
}

/** Compares in constant time; without a token everybody may. */
export function bearerToken(token: string | undefined): TokenCheck {
  if (token === undefined) return { allows: () => true };
  const expected = digest(token);
  return {
    allows(authorization) {
      const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
      return given !== undefined && timingSafeEqual(digest(given), expected);
    },
  };
}

/** Equal lengths, whatever was given. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
