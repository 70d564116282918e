const FIELD = /(?:"((?:[^"]|"")*)"|([^,]*)),/y

/** The fields of a line; one in quotes may hold commas and doubled quotes, but no line break (RFC 4180). */
export function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const fields: string[] = []
  // Each field ends with a comma, the last one too.
  const text = `${line},`
  for (let at = 0; at < text.length; at = FIELD.lastIndex) {
    FIELD.lastIndex = at
    const [, quoted, plain] = FIELD.exec(text)!
    fields.push(quoted?.replaceAll('""', '"') ?? plain!)
  }
  return fields
}
