// Device libraries that are loaded when the program runs: what is used of them, declared by hand. A function that a library does not have is a
// null pointer.
#ifndef GODWIT_CDEVICE_LIBRARIES_H
#define GODWIT_CDEVICE_LIBRARIES_H

#include "hailo.h"
#include "nvml.h"

#endif
