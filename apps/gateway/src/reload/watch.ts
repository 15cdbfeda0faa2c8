import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** What to watch and whom to tell. */
export interface FileWatchOptions {
  /** Absolute paths of what to watch. Asked at every look: they may change. */
  files(): readonly string[];
  /** Called once files have changed and have been left alone for a moment; also once at the beginning. */
  onChange(): void;
  /** How long files must be left alone, in ms: an editor may still be writing. */
  readonly quietMs?: number;
  /** How often files are looked at without being told, in ms: some file systems tell nothing. */
  readonly pollMs?: number;
}

/**
 * Watches files by the directories they stand in, as editors replace files by renaming and Kubernetes swaps a symbolic link
 * next to them; and by looking now and then. What else happens in those directories is ignored. Keeps no process alive. The
 * result ends it. (chokidar 6 does not see the swapped link and reports one write twice.)
 */
export function watchFiles({ files, onChange, quietMs = 200, pollMs = 2000 }: FileWatchOptions): () => void {
  let seen = '';
  let quiet: NodeJS.Timeout | undefined;

  const look = (): void => {
    const now = signatureOf(files());
    if (now === seen) return;
    seen = now;
    clearTimeout(quiet);
    quiet = setTimeout(settle, quietMs).unref();
  };
  const settle = (): void => {
    quiet = undefined;
    look();
    if (!quiet) onChange();
  };

  const directories = createDirectoryWatch(look);
  const poll = (): void => {
    directories.watch(files().map((path) => dirname(path)));
    look();
  };
  const timer = setInterval(poll, pollMs).unref();
  poll();
  return () => {
    clearInterval(timer);
    clearTimeout(quiet);
    directories.watch([]);
  };
}

/** Identity, size and times of files; following links, so that a swapped one shows. */
const signatureOf = (paths: readonly string[]): string =>
  paths
    .map((path) => {
      const stat = statOf(path);
      return stat ? `${path} ${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : `${path} absent`;
    })
    .join('\n');

function statOf(path: string) {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined; // It is away or out of reach: both look the same to a reader.
  }
}

/** Watches directories, as far as they can be watched; one that was replaced is watched anew at the next call. */
function createDirectoryWatch(onEvent: () => void) {
  const watchers = new Map<string, { readonly inode: bigint; readonly watcher: FSWatcher }>();

  const stop = (directory: string): void => {
    watchers.get(directory)?.watcher.close();
    watchers.delete(directory);
  };

  const start = (directory: string, inode: bigint): void => {
    try {
      const watcher = watch(directory, { persistent: false }, onEvent);
      watcher.on('error', () => stop(directory));
      watchers.set(directory, { inode, watcher });
    } catch {
      // It cannot be watched (no such file system, no handles left): looking now and then has to do.
    }
  };

  const refresh = (directory: string): void => {
    const inode = statOf(directory)?.ino;
    if (watchers.get(directory)?.inode === inode) return;
    stop(directory);
    if (inode !== undefined) start(directory, inode);
  };

  return {
    watch: (wanted: readonly string[]): void => {
      const directories = new Set(wanted);
      for (const directory of watchers.keys()) if (!directories.has(directory)) stop(directory);
      for (const directory of directories) refresh(directory);
    },
  };
}
