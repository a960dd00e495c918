import CSQLite

// The virtual table's callbacks (sqlite.org/vtab.html). SQLite calls them on the thread of the query; they are global, because a closure
// inside a type would be isolated to where that type lives.

/// Conditions that are handed to SQLite's `xFilter`, in the order of their arguments; the bits of `idxNum` say which are there.
private enum Condition: Int32, CaseIterable {
  case from = 1
  case until = 2
  case at = 4
  case metric = 8
  case glob = 16
  case labels = 32
  case series = 64

  init?(_ constraint: sqlite3_index_constraint) {
    let column = PointTable.Column(rawValue: constraint.iColumn)
    switch (column, Int32(constraint.op)) {
    case (.time, SQLITE_INDEX_CONSTRAINT_GT), (.time, SQLITE_INDEX_CONSTRAINT_GE): self = .from
    case (.time, SQLITE_INDEX_CONSTRAINT_LT), (.time, SQLITE_INDEX_CONSTRAINT_LE): self = .until
    case (.time, SQLITE_INDEX_CONSTRAINT_EQ): self = .at
    case (.metric, SQLITE_INDEX_CONSTRAINT_EQ): self = .metric
    case (.metric, SQLITE_INDEX_CONSTRAINT_GLOB): self = .glob
    case (.labels, SQLITE_INDEX_CONSTRAINT_EQ): self = .labels
    case (.series, SQLITE_INDEX_CONSTRAINT_EQ): self = .series
    default: return nil
    }
  }

  /// By how much it makes a query cheaper.
  var selectivity: Double {
    switch self {
    case .from, .until, .glob: 10
    case .at, .metric, .series: 100
    case .labels: 20
    }
  }
}

private func table(_ base: UnsafeMutablePointer<sqlite3_vtab>?) -> PointTable? {
  guard let base else { return nil }
  return base.withMemoryRebound(to: godwit_vtab.self, capacity: 1) { pointer in
    pointer.pointee.table.map { Unmanaged<PointTable>.fromOpaque($0).takeUnretainedValue() }
  }
}

private func cursor(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> PointCursor? {
  guard let base else { return nil }
  return base.withMemoryRebound(to: godwit_vtab_cursor.self, capacity: 1) { pointer in
    pointer.pointee.cursor.map { Unmanaged<PointCursor>.fromOpaque($0).takeUnretainedValue() }
  }
}

private func attempt(_ table: PointTable, _ body: () throws(BufferError) -> Void) -> Int32 {
  do throws(BufferError) {
    try body()
    return SQLITE_OK
  } catch {
    table.failure = error
    return SQLITE_ERROR
  }
}

private func connect(
  _ connection: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ count: Int32,
  _ arguments: UnsafePointer<UnsafePointer<CChar>?>?, _ made: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab>?>?,
  _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  guard let context else { return SQLITE_ERROR }
  let code = sqlite3_declare_vtab(connection, Unmanaged<PointTable>.fromOpaque(context).takeUnretainedValue().declaration)
  guard code == SQLITE_OK else { return code }
  let place = UnsafeMutablePointer<godwit_vtab>.allocate(capacity: 1)
  place.initialize(to: godwit_vtab(base: sqlite3_vtab(), table: context))
  made?.pointee = UnsafeMutableRawPointer(place).assumingMemoryBound(to: sqlite3_vtab.self)
  return SQLITE_OK
}

private func disconnect(_ base: UnsafeMutablePointer<sqlite3_vtab>?) -> Int32 {
  base.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: godwit_vtab.self).deallocate() }
  return SQLITE_OK
}

private func bestIndex(
  _ base: UnsafeMutablePointer<sqlite3_vtab>?, _ info: UnsafeMutablePointer<sqlite3_index_info>?
) -> Int32 {
  guard let info else { return SQLITE_ERROR }
  var places: [Condition: Int] = [:]
  for place in 0..<Int(info.pointee.nConstraint) {
    let constraint = info.pointee.aConstraint[place]
    guard constraint.usable != 0, let condition = Condition(constraint), places[condition] == nil else { continue }
    // Under another collation more rows are equal than these.
    if condition == .metric || condition == .labels {
      guard let collation = sqlite3_vtab_collation(info, Int32(place)), String(cString: collation) == "BINARY" else { continue }
    }
    places[condition] = place
  }
  var cost = 1e9
  var argument: Int32 = 0
  info.pointee.idxNum = 0
  for condition in Condition.allCases {
    guard let place = places[condition] else { continue }
    argument += 1
    info.pointee.aConstraintUsage[place].argvIndex = argument
    info.pointee.idxNum |= condition.rawValue
    cost /= condition.selectivity
  }
  info.pointee.estimatedCost = max(cost, 1)
  info.pointee.estimatedRows = max(Int64(cost), 1)
  return SQLITE_OK
}

private func openCursor(
  _ base: UnsafeMutablePointer<sqlite3_vtab>?, _ made: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab_cursor>?>?
) -> Int32 {
  guard let table = table(base) else { return SQLITE_ERROR }
  let place = UnsafeMutablePointer<godwit_vtab_cursor>.allocate(capacity: 1)
  place.initialize(
    to: godwit_vtab_cursor(base: sqlite3_vtab_cursor(), cursor: Unmanaged.passRetained(PointCursor(table)).toOpaque()))
  made?.pointee = UnsafeMutableRawPointer(place).assumingMemoryBound(to: sqlite3_vtab_cursor.self)
  return SQLITE_OK
}

private func closeCursor(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> Int32 {
  guard let base else { return SQLITE_OK }
  let place = UnsafeMutableRawPointer(base).assumingMemoryBound(to: godwit_vtab_cursor.self)
  if let held = place.pointee.cursor { Unmanaged<PointCursor>.fromOpaque(held).release() }
  place.deallocate()
  return SQLITE_OK
}

private func filter(
  _ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?, _ bits: Int32, _ text: UnsafePointer<CChar>?, _ count: Int32,
  _ values: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
  guard let cursor = cursor(base) else { return SQLITE_ERROR }
  var filter = PointFilter()
  var place = 0
  for condition in Condition.allCases where bits & condition.rawValue != 0 && place < Int(count) {
    let value = values?[place]
    place += 1
    let type = sqlite3_value_type(value)
    // A value of another type is left to SQLite's own rules of comparison.
    switch condition {
    case .from, .until, .at:
      guard type == SQLITE_INTEGER || type == SQLITE_FLOAT else { continue }
      if condition != .until { filter.begin(at: sqlite3_value_double(value)) }
      if condition != .from { filter.end(at: sqlite3_value_double(value)) }
    case .metric, .glob, .labels:
      guard type == SQLITE_TEXT, let chars = sqlite3_value_text(value) else { continue }
      let text = String(decoding: UnsafeBufferPointer(start: chars, count: Int(sqlite3_value_bytes(value))), as: UTF8.self)
      if condition == .glob {
        filter.glob(text)
      } else if condition == .metric {
        filter.metric = text
      } else {
        filter.labels = text
      }
    case .series:
      if type == SQLITE_INTEGER { filter.series = sqlite3_value_int64(value) }
    }
  }
  return attempt(cursor.table) { () throws(BufferError) in try cursor.begin(filter) }
}

private func next(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> Int32 {
  guard let cursor = cursor(base) else { return SQLITE_ERROR }
  return attempt(cursor.table) { () throws(BufferError) in try cursor.advance() }
}

private func isAtEnd(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> Int32 { cursor(base)?.isAtEnd == false ? 0 : 1 }

private func rowID(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?, _ row: UnsafeMutablePointer<Int64>?) -> Int32 {
  row?.pointee = cursor(base)?.row ?? 0
  return SQLITE_OK
}

private func column(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?, _ result: OpaquePointer?, _ column: Int32) -> Int32 {
  guard let cursor = cursor(base), let column = PointTable.Column(rawValue: column) else { return SQLITE_ERROR }
  let series = cursor.table.reader.series[cursor.series]
  switch column {
  case .time: sqlite3_result_double(result, cursor.time)
  case .metric: give(series.name, result)
  case .labels: give(cursor.table.labels(of: series.id), result)
  case .value: sqlite3_result_double(result, cursor.value)
  case .unit: give(series.unit, result)
  case .series: sqlite3_result_int64(result, Int64(series.id))
  case .least: sqlite3_result_double(result, cursor.rollup.min)
  case .most: sqlite3_result_double(result, cursor.rollup.max)
  case .last: sqlite3_result_double(result, cursor.rollup.last)
  case .count: sqlite3_result_int64(result, Int64(cursor.rollup.count))
  }
  return SQLITE_OK
}

private func give(_ text: String, _ result: OpaquePointer?) {
  // SQLITE_TRANSIENT, which Swift does not import: SQLite copies before this returns.
  sqlite3_result_text(result, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
}

/// The module of a point table. Lives as long as the connection that knows it.
func pointModule() -> sqlite3_module {
  var module = sqlite3_module()
  // Without xCreate the table is there by its name alone and can neither be made nor dropped.
  (module.xConnect, module.xDisconnect, module.xBestIndex) = (connect, disconnect, bestIndex)
  (module.xOpen, module.xClose, module.xFilter, module.xNext) = (openCursor, closeCursor, filter, next)
  (module.xEof, module.xColumn, module.xRowid) = (isAtEnd, column, rowID)
  return module
}

/// Lets a query look and nothing else.
func allowReadingOnly(
  _ context: UnsafeMutableRawPointer?, _ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?,
  _ third: UnsafePointer<CChar>?, _ fourth: UnsafePointer<CChar>?
) -> Int32 {
  switch action {
  case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: SQLITE_OK
  case SQLITE_FUNCTION: second.map { String(cString: $0) } == "load_extension" ? SQLITE_DENY : SQLITE_OK
  default: SQLITE_DENY
  }
}
