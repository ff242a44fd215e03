const WIDTH = 118;

/** Text in lines as long as those of the other pages; code spans stay whole. @param indent of the lines after the first */
export function wrapped(text: string, indent = ''): string {
  const lines: string[] = [''];
  for (const word of text.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    const line = lines.at(-1) ?? '';
    if (line.trim() !== '' && line.length + 1 + word.length > WIDTH) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
