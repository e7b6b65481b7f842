// SPDX-License-Identifier: MIT
// Run one MicroPython script on the 31-bit VM, with trees of files copied into its file system.
//
//   node run.mjs VM.mjs HEAP_BYTES SCRIPT.py [FROM:TO ...]
//
// FROM is a folder here, TO its path inside the VM. stdout is the script's; exit code 1 when it raised.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [vm, heapBytes, script, ...trees] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(vm));

function copyTree(fs, from, to) {
  try {
    fs.mkdir(to);
  } catch (error) {
    if (error.errno !== 20) throw error; // 20: it exists
  }
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (entry.name !== "__pycache__") copyTree(fs, join(from, entry.name), `${to}/${entry.name}`);
    } else if (/\.(py|mpy|csv|json|bin)$/.test(entry.name)) {
      fs.writeFile(`${to}/${entry.name}`, readFileSync(join(from, entry.name)));
    }
  }
}

const mp = await loadMicroPython({
  heapsize: Number(heapBytes),
  stdout: (line) => process.stdout.write(line + "\n"),
  stderr: (line) => process.stderr.write(line + "\n"),
});
for (const tree of trees) {
  const at = tree.lastIndexOf(":");
  copyTree(mp.FS, tree.slice(0, at), tree.slice(at + 1));
}
try {
  mp.runPython(readFileSync(script, "utf8"));
} catch (error) {
  process.stderr.write(error.message + "\n");
  process.exitCode = 1;
}
