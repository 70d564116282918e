// From answers to elements. Amounts arrive as decimal text and are rounded as text: a float never touches money.

/** Rounds decimal text half away from zero and groups thousands. */
export function amount(text, places = 2) {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) return text
  const [, sign, whole, fraction = ''] = match
  const padded = BigInt(whole + fraction.padEnd(places + 1, '0').slice(0, places + 1))
  const digits = String((padded + 5n) / 10n).padStart(places + 1, '0')
  const units = digits.slice(0, digits.length - places).replace(/\B(?=(\d{3})+$)/g, ',')
  const isZero = /^0*$/.test(digits)
  return `${sign !== '' && !isZero ? '−' : ''}${units}${places > 0 ? `.${digits.slice(-places)}` : ''}`
}

/** As written, without zeros at the end, cut to some places for reading. */
export const quantity = (text, places = 6) => amount(text, places).replace(/\.?0+$/, '')

export const signOf = (text) => (/^-?0*(\.0*)?$/.test(text) ? '' : text.startsWith('-') ? 'loss' : 'gain')

export const clock = (ms) => new Date(ms).toISOString().slice(11, 19)

export function span(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  if (seconds < 3600)
    return `${Math.floor(seconds / 60)} m ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}

export const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ',')

export function put(id, text, className) {
  const element = document.getElementById(id)
  if (element.textContent !== text) element.textContent = text
  if (className !== undefined) element.className = className
}

/**
 * Makes the rows of a table body those of `rows`, keeping the elements of rows that stay, so that reading,
 * selecting and scrolling are not disturbed. A cell is [text, class, tooltip]; the first one is the row's header.
 */
export function fill(id, rows, keyOf, cellsOf) {
  const body = document.getElementById(id)
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]))
  const isFirst = known.size === 0
  rows.forEach((item, at) => {
    const key = keyOf(item)
    let row = known.get(key)
    if (row) known.delete(key)
    else {
      row = document.createElement('tr')
      row.dataset.key = key
      if (!isFirst) row.className = 'new'
    }
    update(row, cellsOf(item))
    if (body.rows[at] !== row) body.insertBefore(row, body.rows[at] ?? null)
  })
  for (const gone of known.values()) gone.remove()
  body.closest('.panel').classList.toggle('is-empty', rows.length === 0)
  const empty = document.querySelector(`.empty[data-for="${id}"]`)
  if (empty) empty.hidden = rows.length > 0
}

function update(row, cells) {
  cells.forEach(([text, className = '', title = ''], at) => {
    let cell = row.cells[at]
    if (!cell) {
      cell = document.createElement(at === 0 ? 'th' : 'td')
      if (at === 0) cell.scope = 'row'
      row.append(cell)
    }
    if (cell.textContent !== text) cell.textContent = text
    if (cell.className !== className) cell.className = className
    if (cell.title !== title) cell.title = title
  })
}
