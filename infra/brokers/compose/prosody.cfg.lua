log = { { levels = { min = "info" }, to = "console" } }
ssl = { key = "/tls/localhost.key"; certificate = "/tls/localhost.crt" }
modules_disabled = { "s2s" }
modules_enabled = {
  "roster"; "saslauth"; "tls"; "disco"; "ping"; "presence"; "message"; "iq"; "carbons"; "offline"; "mam"; "smacks";
}
authentication = "internal_hashed"
c2s_ports = { 5222 }
component_ports = { 5347 }
component_interfaces = { "*" }
c2s_require_encryption = true
smacks_max_queue_size = 20000
default_archive_policy = true

VirtualHost "localhost"

Component "conference.localhost" "muc"
  modules_enabled = { "muc_mam" }
  restrict_room_creation = false
  muc_room_locking = false
  muc_log_by_default = true

Component "devices.localhost"
  component_secret = "component-secret"
