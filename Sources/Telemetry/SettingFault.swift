/// What cannot be of settings that are right one by one, and which of them it is.
public struct SettingFault: Error, Hashable, Sendable {
  /// The key.
  public let key: String
  /// Which value of its list, from 0; nil: the key as a whole.
  public let item: Int?
  /// The key in that item; nil: the item as a whole.
  public let itemKey: String?
  /// What is wrong.
  public let what: String
  /// What to write instead.
  public let remedy: String

  /// Says what is wrong with a key, or with a value of its list.
  public init(_ key: String, item: Int? = nil, _ itemKey: String? = nil, what: String, remedy: String) {
    (self.key, self.item, self.itemKey) = (key, item, itemKey)
    (self.what, self.remedy) = (what, remedy)
  }
}
