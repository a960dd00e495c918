#include <mosquitto.h>
// From 2.1 on mosquitto.h brings the protocol's constants itself, and the header of before only warns.
#if LIBMOSQUITTO_VERSION_NUMBER < 2001000
#include <mqtt_protocol.h>
#endif
#include "certificates.h"
