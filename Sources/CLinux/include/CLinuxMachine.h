// What only the processor knows.
#ifndef GODWIT_CLINUX_MACHINE_H
#define GODWIT_CLINUX_MACHINE_H

/// The twelve characters by which a hypervisor names itself to its guests on x86: CPUID leaf 0x40000000, reserved for them where bit 31 of ECX
/// in leaf 1 is set (Documentation/virt/kvm/x86/cpuid.rst). Returns 0 where there is none.
int godwit_hypervisor_signature(char signature[13]);

#endif
