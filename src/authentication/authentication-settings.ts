/** What authentication needs of the configuration. At least one key source is set unless `mode` is `off`. */
export interface AuthenticationSettings {
  readonly mode: 'required' | 'optional' | 'off';
  /** Shared secret for HS256, HS384 and HS512. */
  readonly jwtSecret: string | undefined;
  /** PEM of an RSA or EC public key or certificate; line breaks may be written as \n. */
  readonly jwtPublicKey: string | undefined;
  readonly jwksUrl: string | undefined;
  /** What `iss` must be; undefined = not checked. */
  readonly issuer: string | undefined;
  /** What `aud` must be or contain; undefined = not checked. */
  readonly audience: string | undefined;
  /** How far `nbf` and `iat` may lie in the future. */
  readonly clockToleranceMs: number;
}
