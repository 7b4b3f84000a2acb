import { tokenCheck } from '../../../lib/http/token-check.ts';

export interface TokenCheck {
  /** @param authorization the header, e.g. `Bearer abc`. */
  allows(authorization: string | undefined): boolean;
}

/** Without a token everybody may. */
export function bearerToken(token: string | undefined): TokenCheck {
  if (token === undefined) return { allows: () => true };
  const isRight = tokenCheck(token);
  return {
    allows(authorization) {
      const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
      return given !== undefined && isRight(given);
    },
  };
}
