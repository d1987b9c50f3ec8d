import { describe, expect, test } from "vitest";
import { upstreamNeeds } from "./upstream.ts";

describe("aiVLE's own packages", () => {
  test("come with us, by whatever name or address a bundle asks for them", () => {
    const text = `aivle-grader @ git+https://github.com/edu-ai/aivle-grader@bc156a
aivle-gym @ git+git://github.com/edu-ai/aivle-gym@3d0d56
gym==0.19.0 # pinned
`;
    expect(upstreamNeeds(text)).toEqual({
      requirements: "gym==0.19.0 # pinned\n\npyzmq",
      folders: ["aivle_grader-0.1.3", "aivle_gym-0.1.0"],
    });
    expect(upstreamNeeds("aivle_gym==0.2.0\npyzmq==27.3.0").folders).toEqual(["aivle_gym-0.2.0"]);
    expect(upstreamNeeds("AIVLE-Gym @ git+https://github.com/edu-ai/aivle-gym@main")).toEqual({
      requirements: "gym\npyzmq",
      folders: ["aivle_gym-0.2.0"],
    });
  });

  test("are left to the index in a version that we have not, and other packages always are", () => {
    const text = "aivle-gym==0.3.0\naivle-grader-plus\n-e aivle-gym";
    expect(upstreamNeeds(text)).toEqual({ requirements: text, folders: [] });
    expect(upstreamNeeds("# nothing\n\n")).toEqual({ requirements: "", folders: [] });
  });
});
