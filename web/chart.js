// Lines drawn by hand as SVG paths; the shape is for the eye, every number beside it is text.

const SVG = 'http://www.w3.org/2000/svg'

/** A line without axes, from zero up: a rate that hardly moves looks like one. */
export function drawLine(svg, values) {
  svg.setAttribute('viewBox', '0 0 100 20')
  svg.setAttribute('preserveAspectRatio', 'none')
  const path = svg.firstChild ?? svg.appendChild(document.createElementNS(SVG, 'path'))
  path.setAttribute('d', pathOf(values, 100, 20, 1, 0))
}

/** The curve of `values`, oldest first, with its area and a line where it began. */
export function drawCurve(svg, values) {
  const width = 1000
  const height = 96
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
  svg.setAttribute('preserveAspectRatio', 'none')
  if (!svg.firstChild) {
    for (const name of ['area', 'grid', 'curve']) {
      const path = document.createElementNS(SVG, 'path')
      path.setAttribute('class', name)
      svg.append(path)
    }
  }
  const [area, grid, curve] = svg.children
  const line = pathOf(values, width, height, 5)
  curve.setAttribute('d', line)
  area.setAttribute('d', line === '' ? '' : `${line}V${height}H0Z`)
  grid.setAttribute('d', line === '' ? '' : `M0 ${startOf(values, height, 5)}H${width}`)
}

function pathOf(values, width, height, margin, floor) {
  if (values.length === 0) return ''
  if (values.length === 1) return `M0 ${height / 2}H${width}`
  const y = scaleOf(values, height, margin, floor)
  const step = width / (values.length - 1)
  return values.map((value, i) => `${i === 0 ? 'M' : 'L'}${(i * step).toFixed(1)} ${y(value)}`).join('')
}

const startOf = (values, height, margin) => scaleOf(values, height, margin)(values[0])

function scaleOf(values, height, margin, floor = Math.min(...values)) {
  const low = floor
  const range = Math.max(...values) - low
  const room = height - 2 * margin
  // A flat line lies in the middle.
  return (value) => (height - margin - (range === 0 ? room / 2 : ((value - low) / range) * room)).toFixed(1)
}
