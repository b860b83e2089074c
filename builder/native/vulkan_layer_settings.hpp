// What ggml's Vulkan backend uses of VK_EXT_layer_settings, for headers that are older than it.
// The values are those of Vulkan's registry. Behind validation layers alone does anybody read them.
#pragma once

#include <cstdint>
#include <vector>

namespace vk {

enum class LayerSettingTypeEXT { eBool32 = 0 };

struct LayerSettingEXT {
    const char *layer_name;
    const char *setting_name;
    LayerSettingTypeEXT type;
    uint32_t value_count;
    const void *values;
};

struct LayerSettingsCreateInfoEXT {
    explicit LayerSettingsCreateInfoEXT(const std::vector<LayerSettingEXT> &all)
        : setting_count(static_cast<uint32_t>(all.size())), settings(all.data()) {}

    uint32_t structure_type = 1000496000;
    const void *next = nullptr;
    uint32_t setting_count;
    const LayerSettingEXT *settings;
};

} // namespace vk
