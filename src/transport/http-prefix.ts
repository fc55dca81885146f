/** The prefix of every HTTP path of this server: empty, or such as `/gatehouse` in a host application. */
export class HttpPrefix {
  constructor(readonly value: string) {}
}
