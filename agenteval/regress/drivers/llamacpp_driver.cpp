// llama.cpp's chat parsers behind JSON lines; the protocol stands in regress/pipes.py.
//
// Built against llama.cpp's common library (tests/engines/llamacpp.py does it); its chat templates lie beside the program
// in `templates`. Texts go the way that llama-server sends them: the text so far is parsed after every piece, and what
// it adds goes out.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "build-info.h"
#include "chat.h"
#include "nlohmann/json.hpp"

using json = nlohmann::ordered_json;

// The template by which llama.cpp knows each family's parser. Not covered: harmony, whose template refuses schemas that
// name no type, and deepseek_v3, of which there is only a stand-in.
static const std::map<std::string, std::string> TEMPLATES = {
    {"glm45", "GLM-4.6.jinja"},
    {"glm47", "GLM-4.7-Flash.jinja"},
    {"hermes", "Qwen-Qwen3-0.6B.jinja"},
    {"qwen3_coder", "Qwen3-Coder.jinja"},
    {"kimi_k2", "Kimi-K2-Thinking.jinja"},
    {"deepseek_v31", "deepseek-ai-DeepSeek-V3.1.jinja"},
    {"deepseek_v32", "deepseek-ai-DeepSeek-V3.2.jinja"},
    {"minimax_m2", "MiniMax-M2.jinja"},
    {"llama3_json", "meta-llama-Llama-3.3-70B-Instruct.jinja"},
    {"mistral", "mistralai-Ministral-3-14B-Reasoning-2512.jinja"},
    {"gemma4", "google-gemma-4-31B-it.jinja"},
};

// Families whose models open their reasoning themselves: their prompts are alike with and without it.
static const std::set<std::string> OPEN_THEMSELVES = {"glm45", "hermes"};

static std::map<std::string, common_chat_templates_ptr> loaded;

static const common_chat_templates * templates(const std::string & folder, const std::string & family) {
    auto & found = loaded[family];
    if (!found) {
        std::ifstream file(folder + "/" + TEMPLATES.at(family));
        std::stringstream text;
        text << file.rdbuf();
        found = common_chat_templates_init(nullptr, text.str());
    }
    return found.get();
}

static common_chat_parser_params made(const std::string & folder, const json & asked) {
    const auto family = asked.at("family").get<std::string>();
    common_chat_templates_inputs inputs;
    common_chat_msg user;
    user.role = "user";
    user.content = "Hi";
    inputs.messages = {user};
    if (!asked.at("tools").empty()) {
        inputs.tools = common_chat_tools_parse_oaicompat(common_json::parse(asked.at("tools").dump()));
    }
    inputs.parallel_tool_calls = true;
    inputs.reasoning_format = COMMON_REASONING_FORMAT_AUTO;
    inputs.enable_thinking = asked.at("thinking").get<bool>() || OPEN_THEMSELVES.count(family) > 0;
    auto applied = common_chat_templates_apply(templates(folder, family), inputs);
    common_chat_parser_params params(applied);
    params.reasoning_format = COMMON_REASONING_FORMAT_AUTO;
    if (!applied.parser.empty()) {
        params.parser.load(applied.parser);
    }
    return params;
}

// Making a parser takes far longer than parsing, and most questions are about the same tools.
static const common_chat_parser_params & parser_of(const std::string & folder, const json & asked) {
    static std::map<std::string, common_chat_parser_params> known;
    const json key = {asked.at("family"), asked.at("thinking"), asked.at("tools")};
    auto found = known.find(key.dump());
    if (found == known.end()) {
        found = known.emplace(key.dump(), made(folder, asked)).first;
    }
    return found->second;
}

static json message(const common_chat_msg & said) {
    json calls = json::array();
    for (const auto & call : said.tool_calls) {
        calls.push_back({{"name", call.name}, {"arguments", call.arguments}});
    }
    return {{"reasoning", said.reasoning_content}, {"content", said.content}, {"calls", calls}};
}

static json deltas(const common_chat_msg & before, const common_chat_msg & now) {
    json found = json::array();
    for (const auto & diff : common_chat_msg_diff::compute_diffs(before, now)) {
        if (!diff.reasoning_content_delta.empty()) {
            found.push_back({{"reasoning", diff.reasoning_content_delta}});
        }
        if (!diff.content_delta.empty()) {
            found.push_back({{"content", diff.content_delta}});
        }
        if (diff.tool_call_index != std::string::npos) {
            json call = {{"index", diff.tool_call_index}, {"arguments", diff.tool_call_delta.arguments}};
            if (!diff.tool_call_delta.name.empty()) {
                call["name"] = diff.tool_call_delta.name;
            }
            found.push_back(call);
        }
    }
    return found;
}

static json stream(const common_chat_parser_params & params, const json & pieces) {
    std::string text;
    common_chat_msg before;
    json feeds = json::array();
    for (size_t at = 0; at <= pieces.size(); at++) {
        const bool over = at == pieces.size();
        text += over ? "" : pieces[at].get<std::string>();
        auto now = common_chat_parse(text, !over, params);
        if (now.empty()) {
            feeds.push_back(json::array());
            continue;
        }
        feeds.push_back(deltas(before, now));
        before = now;
    }
    return feeds;
}

static json answer(const std::string & folder, const json & asked) {
    json said = {{"id", asked.at("id")}};
    if (asked.contains("hello")) {
        said["version"] = std::string("llama.cpp ") + llama_commit();
        said["families"] = json::array();
        for (const auto & known : TEMPLATES) {
            said["families"].push_back(known.first);
        }
        return said;
    }
    try {
        const auto & params = parser_of(folder, asked);
        if (asked.contains("text")) {
            said["message"] = message(common_chat_parse(asked.at("text").get<std::string>(), false, params));
        } else {
            said["feeds"] = stream(params, asked.at("pieces"));
        }
    } catch (const std::exception & error) {
        said["error"] = error.what();
    }
    return said;
}

int main(int, char ** arguments) {
    const std::string program = arguments[0];
    const std::string folder = program.substr(0, program.rfind('/') + 1) + "templates";
    std::string line;
    while (std::getline(std::cin, line)) {
        std::cout << answer(folder, json::parse(line)).dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
    }
    return 0;
}
