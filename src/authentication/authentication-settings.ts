/** The settings of authentication. At least one key source is set unless `mode` is `off`. */
export interface AuthenticationSettings {
  readonly mode: 'required' | 'optional' | 'off';
  /** Shared secret for HS256, HS384 and HS512. */
  readonly jwtSecret: string | undefined;
  /** PEM of an RSA or EC public key or certificate; line breaks may be written as \n. */
  readonly jwtPublicKey: string | undefined;
  readonly jwksUrl: string | undefined;
  /** The required `iss`; undefined: not checked. */
  readonly issuer: string | undefined;
  /** The required `aud`; undefined: not checked. */
  readonly audience: string | undefined;
  /** How far `nbf` and `iat` may be in the future. */
  readonly clockToleranceMs: number;
}
