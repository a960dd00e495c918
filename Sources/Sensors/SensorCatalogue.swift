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
      DevfreqSensor.self,
      GPUSensor.self,
      GPUProcessesSensor.self,
      CoralSensor.self,
      NPUSensor.self,
      PowerSensor.self,
      RaspberryPiSensor.self,
      DiskSensor.self,
      IOLatencySensor.self,
      MMCSensor.self,
      SmartSensor.self,
      MountsSensor.self,
      RaidSensor.self,
      FilesSensor.self,
      NetworkSensor.self,
      LatencySensor.self,
      DNSSensor.self,
      WiFiSensor.self,
      ModemSensor.self,
      ConnectionsSensor.self,
      FirewallSensor.self,
      NVIDIASensor.self,
      HailoSensor.self,
      I2CSensor.self,
      GPIOSensor.self,
      ExecSensor.self,
      TextfileSensor.self,
      PushSensor.self,
      SystemSensor.self,
      VMSensor.self,
      PackagesSensor.self,
      TimeSensor.self,
      SystemdSensor.self,
      ProcessesSensor.self,
      ContainersSensor.self,
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
