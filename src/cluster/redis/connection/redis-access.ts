/** What an address says beside the place: the same for every server of a cluster. */
export function accessTo(address: string) {
  const { username, password, protocol } = new URL(address);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
}
