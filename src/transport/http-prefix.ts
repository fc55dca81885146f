/** What stands before every path of this server's HTTP: empty, or such as `/gatehouse` in a host application. */
export class HttpPrefix {
  constructor(readonly value: string) {}
}
