public import Telemetry

/// All kinds of sensors. Adding one: a file, a line here, a case folder.
public enum SensorCatalogue {
  /// In the order in which they are sampled and listed.
  public static var all: [any Sensor.Type] {
    [
      CPUSensor.self,
      PressureSensor.self,
      MemorySensor.self,
      ThermalSensor.self,
      HwmonSensor.self,
      DiskSensor.self,
      NetworkSensor.self,
      I2CSensor.self,
      SystemSensor.self,
      SelfSensor.self,
    ]
  }

  /// What the profile is checked against.
  public static var kinds: [SensorKind] { all.map { $0.kind } }

  /// The sensor of a kind, or nil.
  public static func type(named name: String) -> (any Sensor.Type)? {
    all.first { $0.kind.name == name }
  }
}
