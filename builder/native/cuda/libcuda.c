// What of the driver's library is called, to link against it where there is no driver.
// ggml calls these:
void cuDeviceGet(void) {}
void cuDeviceGetAttribute(void) {}
void cuGetErrorString(void) {}
void cuMemAddressFree(void) {}
void cuMemAddressReserve(void) {}
void cuMemCreate(void) {}
void cuMemGetAllocationGranularity(void) {}
void cuMemMap(void) {}
void cuMemRelease(void) {}
void cuMemSetAccess(void) {}
void cuMemUnmap(void) {}
