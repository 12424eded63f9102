/** Makes a folder of mode 0700 where it is missing; {@linkcode closeFolder} closes one that exists to all but its owner. */
export function makePrivateFolder(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  closeFolder(path);
}

/** Takes away what others may do in a folder, except in one that is made for sharing, as `/tmp` is. */
export function closeFolder(path: string): void {
  if (Deno.build.os === "windows") return; // It has no such modes.
  try {
    const mode = Deno.statSync(path).mode ?? 0;
    const isForSharing = (mode & 0o1000) !== 0;
    if ((mode & 0o077) !== 0 && !isForSharing) Deno.chmodSync(path, 0o700);
  } catch {
    // Not there; or another user's, who gave this one access to it: the files in it are private all the same.
  }
}
