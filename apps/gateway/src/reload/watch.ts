import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Files to watch and the callback for changes. */
export interface FileWatchOptions {
  /** Absolute paths of the files to watch. Called at every check, as the list may change. */
  files(): readonly string[];
  /** Called when files have changed and then stayed unchanged for `quietMs`; also once at the start. */
  onChange(): void;
  /** How long files must stay unchanged, in ms: an editor may still be writing. */
  readonly quietMs?: number;
  /** Polling interval in ms, for file systems that report no changes. */
  readonly pollMs?: number;
}

/**
 * Watches files through their directories, because editors replace files by renaming and Kubernetes swaps a symbolic
 * link next to them, and by polling. Other changes in those directories are ignored. Does not keep the process alive.
 * Returns a function that ends the watch. (chokidar 6 misses the swapped link and reports one write twice.)
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
    return undefined; // The file is missing or cannot be reached: both are the same to a reader.
  }
}

/** Watches directories where the system can; a replaced directory is watched again at the next call. */
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
      // It cannot be watched (unsupported file system, no handles left): polling has to do.
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
